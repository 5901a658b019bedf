package kv4j.inference.example;

import java.util.Arrays;
import java.util.List;
import java.util.Map;
import kv4j.cache.BlockSequence;
import kv4j.cache.CacheEvent;
import kv4j.cache.CacheStats;
import kv4j.cache.CacheStats.Removal;
import kv4j.cache.EvictionPolicy;
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
    if (config.timeToLive().isPresent()) { // what a cache cannot do it refuses, and never ignores
      throw new IllegalArgumentException("last-prompt keeps no time to live");
    }
    if (config.policy() != EvictionPolicy.Standard.LRU) {
      throw new IllegalArgumentException("last-prompt has no policy but lru");
    }
    return new LastPromptCache(config);
  }

  private static final class LastPromptCache implements KvCache {
    private record Kept(KvRequest request, int[] tokens, List<KvBlock> blocks) {}

    private final KvCacheConfig config;
    private final KvLayout layout;
    private final LookupCounters counters = new LookupCounters();
    private Kept kept;
    private boolean closed;
    private long inserted;
    private long peakBlocks;
    private long events;

    LastPromptCache(KvCacheConfig config) {
      this.config = config;
      layout = config.layout();
    }

    @Override
    public synchronized KvSequence open(KvRequest request) {
      if (closed) {
        throw new IllegalStateException("the cache is closed");
      }
      int[] prompt = request.prompt();
      int blocks = kept == null ? 0 : alike(request) / layout.blockTokens();
      int cached = blocks * layout.blockTokens();
      Lookup.Reason reason =
          cached == prompt.length - 1 ? Lookup.Reason.FULL : Lookup.Reason.DIVERGED;
      Lookup lookup =
          new Lookup(prompt.length, cached, kept == null ? Lookup.Reason.COLD : reason, "");
      counters.record(lookup);
      config.tell(new CacheEvent.Found(++events, request.namespace(), 0, lookup, request.label()));
      return new Sequence(
          request, lookup, cached == 0 ? List.of() : kept.blocks.subList(0, blocks));
    }

    /** Leading tokens that both have; the prompt's last is always left to compute. */
    private int alike(KvRequest request) {
      if (!kept.request.namespace().equals(request.namespace())
          || !kept.request.model().equals(request.model())
          || !kept.request.salt().equals(request.salt())) {
        return 0;
      }
      int most = Math.min(kept.tokens.length, request.prompt().length - 1);
      int differs = Arrays.mismatch(kept.tokens, 0, most, request.prompt(), 0, most);
      return differs < 0 ? most : differs;
    }

    /** Keeps another request in place of the last; null: none. */
    private synchronized void keep(Kept next) {
      if (kept != null) {
        int blocks = kept.blocks.size();
        config.tell(
            new CacheEvent.Removed(
                ++events,
                kept.request.namespace(),
                0,
                0,
                kept.tokens.length,
                blocks,
                bytes(blocks),
                Removal.EXPLICIT));
      }
      kept = closed || next == null || next.blocks.isEmpty() ? null : next;
      if (kept != null) {
        int blocks = kept.blocks.size();
        inserted += blocks;
        peakBlocks = Math.max(peakBlocks, blocks);
        config.tell(
            new CacheEvent.Inserted(
                ++events,
                kept.request.namespace(),
                !kept.request.salt().isEmpty(),
                0,
                0,
                0,
                kept.tokens,
                blocks,
                bytes(blocks),
                kept.request.label()));
      }
    }

    private long bytes(long blocks) {
      return blocks * layout.bytesPerBlock();
    }

    @Override
    public KvLayout layout() {
      return layout;
    }

    @Override
    public synchronized CacheStats stats() {
      int blocks = kept == null ? 0 : kept.blocks.size();
      Map<Removal, Long> removed = Map.of(Removal.EXPLICIT, inserted - blocks);
      return new CacheStats(
          counters.snapshot(),
          new CacheStats.Storage(
              blocks, bytes(blocks), bytes(peakBlocks), 0, 0, inserted, removed, 0, 0));
    }

    @Override
    public synchronized void close() {
      closed = true;
      keep(null);
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
        long most = config.maxBytes() / layout.bytesPerBlock();
        int computed = Math.min(length(), tokens.length);
        int full = (int) Math.min(most, computed / layout.blockTokens()); // whole ones are shared
        keep(
            new Kept(
                request,
                Arrays.copyOf(tokens, full * layout.blockTokens()),
                List.copyOf(blocks().subList(0, full))));
      }

      @Override
      public void close() {}
    }
  }
}
// snippet:end
