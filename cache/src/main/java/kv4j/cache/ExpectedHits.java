package kv4j.cache;

/**
 * How many prompt tokens a cache of some kind must find, worked out from the requests alone, in
 * their order, for a cache that starts empty and has room for everything. One prompt token is
 * always left to compute.
 */
public interface ExpectedHits {
  /** Of a cache that keeps nothing between requests. */
  ExpectedHits NOTHING =
      new ExpectedHits() {
        @Override
        public int next(KvRequest request) {
          return 0;
        }

        @Override
        public void ran(KvRequest request, int[] generated) {}
      };

  /** Tokens that a request now to come must find cached. */
  int next(KvRequest request);

  /**
   * Takes note of a request that has run.
   *
   * @param generated the tokens it gave
   */
  void ran(KvRequest request, int[] generated);
}
