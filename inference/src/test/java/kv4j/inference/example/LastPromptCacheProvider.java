package kv4j.inference.example;

import java.util.Arrays;
import java.util.List;
import java.util.Map;
import kv4j.cache.BlockSequence;
import kv4j.cache.CacheStats;
import kv4j.cache.KvCache;
import kv4j.cache.KvCacheConfig;
import kv4j.cache.KvCacheProvider;
import kv4j.cache.KvRequest;
import kv4j.cache.KvSequence;
import kv4j.cache.Lookup;
import kv4j.cache.LookupCounters;
import kv4j.cache.block.KvBlock;
import kv4j.cache.block.KvLayout;

// snippet:last-prompt-cache
/**
 * {@code last-prompt}: keeps the blocks of the last finished request, for one that begins alike.
 */
public final class LastPromptCacheProvider implements KvCacheProvider {
  @Override
  public String name() {
    return "last-prompt"; // as in --cache last-prompt
  }

  @Override
  public String description() {
    return "the last request is kept, for a next one that begins alike";
  }

  @Override
  public KvCache create(KvCacheConfig config) {
    return new LastPromptCache(config.layout());
  }

  private static final class LastPromptCache implements KvCache {
    private record Kept(KvRequest request, int[] tokens, List<KvBlock> blocks) {}

    private final KvLayout layout;
    private final LookupCounters counters = new LookupCounters();
    private volatile Kept kept; // immutable, so threads need no lock

    LastPromptCache(KvLayout layout) {
      this.layout = layout;
    }

    @Override
    public KvSequence open(KvRequest request) {
      Kept last = kept;
      int[] prompt = request.prompt();
      int blocks = last == null ? 0 : alike(last, request) / layout.blockTokens();
      int cached = blocks * layout.blockTokens();
      Lookup.Reason reason =
          cached == prompt.length - 1 ? Lookup.Reason.FULL : Lookup.Reason.DIVERGED;
      Lookup lookup =
          new Lookup(prompt.length, cached, last == null ? Lookup.Reason.COLD : reason, "");
      counters.record(lookup);
      return new Sequence(
          request, lookup, cached == 0 ? List.of() : last.blocks.subList(0, blocks));
    }

    /** Leading tokens that both have; the prompt's last is always left to compute. */
    private static int alike(Kept last, KvRequest request) {
      if (!last.request.namespace().equals(request.namespace())
          || !last.request.model().equals(request.model())
          || !last.request.salt().equals(request.salt())) {
        return 0;
      }
      int most = Math.min(last.tokens.length, request.prompt().length - 1);
      int differs = Arrays.mismatch(last.tokens, 0, most, request.prompt(), 0, most);
      return differs < 0 ? most : differs;
    }

    @Override
    public KvLayout layout() {
      return layout;
    }

    @Override
    public CacheStats stats() {
      Kept now = kept;
      int blocks = now == null ? 0 : now.blocks.size();
      long bytes = blocks * layout.bytesPerBlock();
      return new CacheStats(
          counters.snapshot(),
          new CacheStats.Storage(blocks, bytes, bytes, 0, 0, blocks, Map.of(), 0, 0));
    }

    @Override
    public void close() {
      kept = null;
    }

    /** Starts on kept blocks, which it only reads, and appends to blocks of its own. */
    private final class Sequence extends BlockSequence {
      private final KvRequest request;
      private final Lookup lookup;

      Sequence(KvRequest request, Lookup lookup, List<KvBlock> shared) {
        super(LastPromptCache.this.layout);
        this.request = request;
        this.lookup = lookup;
        startOn(shared, lookup.cachedTokens());
      }

      @Override
      public Lookup lookup() {
        return lookup;
      }

      @Override
      public void commit(int[] tokens) {
        int full = length() / layout.blockTokens(); // a block is shared only once it is full
        kept =
            new Kept(
                request,
                Arrays.copyOf(tokens, full * layout.blockTokens()),
                List.copyOf(blocks().subList(0, full)));
      }

      @Override
      public void close() {}
    }
  }
}
// snippet:end
