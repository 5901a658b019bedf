package kv4j.apps.measure;

import kv4j.cache.KvCache;

/** Is told how far a run has come, on the thread that runs it. */
public interface WorkloadListener {
  /** Hears nothing. */
  WorkloadListener NONE =
      new WorkloadListener() {
        @Override
        public void start(int steps) {}

        @Override
        public void step(String label) {}

        @Override
        public void end() {}
      };

  /**
   * @param steps how often {@link #step} will be called
   */
  void start(int steps);

  /**
   * One more request is done.
   *
   * @param label what is going on, in a few words
   */
  void step(String label);

  /**
   * The cache under test has run the whole workload and is about to be closed.
   *
   * @param cache to look into
   */
  default void finished(KvCache cache) {}

  /** Nothing more is to come, also if the run failed. */
  void end();
}
