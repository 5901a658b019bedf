package kv4j.apps.example;

import java.util.Arrays;
import java.util.List;
import java.util.Map;
import kv4j.cache.CacheStats;
import kv4j.cache.KvCache;
import kv4j.cache.KvCacheConfig;
import kv4j.cache.KvCacheProvider;
import kv4j.cache.KvRequest;
import kv4j.cache.KvSequence;
import kv4j.cache.Lookup;
import kv4j.cache.LookupCounters;
import kv4j.cache.block.BlockSequence;
import kv4j.cache.block.KvBlock;
import kv4j.cache.block.KvLayout;

/** A cache as a third party would add it: it keeps the last request, whatever its size. */
public final class LastRequestCacheProvider implements KvCacheProvider {
  @Override
  public String name() {
    return "last-request";
  }

  @Override
  public String description() {
    return "keeps the last request";
  }

  @Override
  public KvCache create(KvCacheConfig config) {
    return new LastRequestCache(config.layout());
  }

  /**
   * A finished request.
   *
   * @param of whose it is
   * @param tokens ids in {@code blocks}
   * @param blocks their keys and values, all full; never written again
   */
  private record Kept(KvRequest of, int[] tokens, List<KvBlock> blocks) {
    /** Leading prompt tokens that may be reused: whole blocks, and never the last token. */
    int usableFor(KvRequest request, int blockTokens) {
      if (!of.namespace().equals(request.namespace()) || !of.model().equals(request.model())) {
        return 0;
      }
      int[] prompt = request.prompt();
      int differ = Arrays.mismatch(tokens, 0, tokens.length, prompt, 0, prompt.length - 1);
      int common = differ < 0 ? tokens.length : differ;
      return common / blockTokens * blockTokens;
    }
  }

  private static final class LastRequestCache implements KvCache {
    private final KvLayout layout;
    private final LookupCounters counters = new LookupCounters();
    private volatile Kept last = new Kept(KvRequest.of(0), new int[0], List.of());

    LastRequestCache(KvLayout layout) {
      this.layout = layout;
    }

    @Override
    public KvLayout layout() {
      return layout;
    }

    @Override
    public KvSequence open(KvRequest request) {
      Kept kept = last;
      int cached = kept.usableFor(request, layout.blockTokens());
      Lookup.Reason reason = kept.tokens.length == 0 ? Lookup.Reason.COLD : Lookup.Reason.DIVERGED;
      Lookup lookup = new Lookup(request.prompt().length, cached, reason, "");
      counters.record(lookup);
      return new Sequence(this, request, lookup, kept.blocks.subList(0, layout.blocksFor(cached)));
    }

    @Override
    public CacheStats stats() {
      long blocks = last.blocks.size();
      long bytes = blocks * layout.bytesPerBlock();
      return counters.snapshot(blocks, bytes, bytes, Map.of());
    }

    @Override
    public void close() {
      last = new Kept(KvRequest.of(0), new int[0], List.of());
    }
  }

  private static final class Sequence extends BlockSequence {
    private final LastRequestCache cache;
    private final KvRequest request;
    private final Lookup lookup;

    Sequence(LastRequestCache cache, KvRequest request, Lookup lookup, List<KvBlock> shared) {
      super(cache.layout);
      this.cache = cache;
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
      int full = Math.min(tokens.length, length()) / layout.blockTokens();
      int[] kept = Arrays.copyOf(tokens, full * layout.blockTokens());
      cache.last = new Kept(request, kept, List.copyOf(blocks().subList(0, full)));
    }

    @Override
    public void close() {
      reset();
    }
  }
}
