package kv4j.cache.simple;

import com.github.benmanes.caffeine.cache.Ticker;
import java.nio.IntBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import kv4j.cache.BlockSequence;
import kv4j.cache.CacheStats;
import kv4j.cache.KvCache;
import kv4j.cache.KvCacheConfig;
import kv4j.cache.KvRequest;
import kv4j.cache.KvSequence;
import kv4j.cache.Lookup;
import kv4j.cache.LookupCounters;
import kv4j.cache.block.KvBlock;
import kv4j.cache.block.KvLayout;
import kv4j.cache.simple.SimpleKvCache.KeyValue;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/**
 * The explicit-prefix cache behind the hook: a request says how many of its leading tokens it
 * shares with others, and those are looked up and stored as a whole. Each layer's keys and values
 * are one entry of a {@link SimpleKvCache}, {@code [tokens, kvHeads, headDim]}; a sequence that
 * hits gets them copied into blocks of its own. Prefixes used longest ago make room, always whole.
 */
public final class SimplePrefixCache implements KvCache {
  private final KvLayout layout;
  final WholePrefixes prefixes;
  private final LookupCounters counters = new LookupCounters();

  /**
   * @param ticker the clock that entries age by
   */
  public SimplePrefixCache(KvCacheConfig config, Ticker ticker) {
    layout = config.layout();
    prefixes = new WholePrefixes(config, ticker);
  }

  /** Bytes that a prefix takes in this cache: a smaller limit never keeps it. */
  public static long bytesForPrefix(KvLayout layout, int tokens) {
    return 2L * layout.layers() * layout.width() * Float.BYTES * tokens;
  }

  @Override
  public KvLayout layout() {
    return layout;
  }

  @Override
  public KvSequence open(KvRequest request) {
    int[] prompt = request.prompt();
    int shared = request.sharedPrefixTokens();
    if (shared == 0) {
      return opened(request, new Lookup(prompt.length, 0, Lookup.Reason.NOT_KEPT, ""), List.of());
    }
    Prefix prefix = Prefix.of(request, prompt);
    WholePrefixes.Found found = prefixes.find(prefix);
    if (found.layers().isEmpty()) {
      Lookup miss = new Lookup(prompt.length, 0, found.missReason(), found.detail());
      return opened(request, miss, List.of());
    }
    int cached = Math.min(shared, prompt.length - 1);
    Lookup.Reason reason =
        cached == prompt.length - 1 ? Lookup.Reason.FULL : Lookup.Reason.END_OF_STORED;
    return opened(request, new Lookup(prompt.length, cached, reason, ""), found.layers());
  }

  private KvSequence opened(KvRequest request, Lookup lookup, List<KeyValue> layers) {
    counters.record(lookup);
    return new Sequence(request, lookup, layers);
  }

  @Override
  public CacheStats stats() {
    return prefixes.stats(counters);
  }

  @Override
  public void close() {
    prefixes.clear();
  }

  /** What names a prefix. */
  record Prefix(String namespace, String model, IntBuffer tokens) {
    /** The first tokens of a sequence, as many as its request shares. */
    static Prefix of(KvRequest request, int[] tokens) {
      int[] ids = Arrays.copyOf(tokens, request.sharedPrefixTokens());
      return new Prefix(request.namespace(), request.model(), IntBuffer.wrap(ids));
    }

    int length() {
      return tokens.capacity();
    }
  }

  private final class Sequence extends BlockSequence {
    private final KvRequest request;
    private final Lookup lookup;

    Sequence(KvRequest request, Lookup lookup, List<KeyValue> layers) {
      super(SimplePrefixCache.this.layout);
      this.request = request;
      this.lookup = lookup;
      if (lookup.isHit()) {
        startOn(copyIn(layers, lookup.cachedTokens()), lookup.cachedTokens());
      }
    }

    @Override
    public Lookup lookup() {
      return lookup;
    }

    @Override
    public void commit(int[] tokens) {
      int shared = request.sharedPrefixTokens();
      if (shared > 0 && shared <= Math.min(length(), tokens.length)) {
        prefixes.store(Prefix.of(request, tokens), layer -> copyOut(layer, shared));
      }
    }

    @Override
    public void close() {
      reset();
    }

    /** Blocks of this sequence's own that hold the first tokens of every layer. */
    private List<KvBlock> copyIn(List<KeyValue> layers, int tokens) {
      int size = layout.blockTokens();
      List<KvBlock> filled = new ArrayList<>();
      for (int first = 0; first < tokens; first += size) {
        filled.add(newBlock());
      }
      float[] keys = new float[tokens * layout.width()];
      float[] values = new float[keys.length];
      for (int layer = 0; layer < layout.layers(); layer++) {
        layers.get(layer).keys().data().asNioFloat().get(keys);
        layers.get(layer).values().data().asNioFloat().get(values);
        for (int i = 0; i < filled.size(); i++) {
          int count = Math.min(size, tokens - i * size);
          filled.get(i).write(layer, 0, count, keys, values, i * size);
        }
      }
      return filled;
    }

    /** The first tokens of a layer as two arrays {@code [tokens, kvHeads, headDim]}. */
    private KeyValue copyOut(int layer, int tokens) {
      int size = layout.blockTokens();
      float[] keys = new float[tokens * layout.width()];
      float[] values = new float[keys.length];
      for (int first = 0; first < tokens; first += size) {
        int count = Math.min(size, tokens - first);
        blocks().get(first / size).read(layer, 0, count, keys, values, first);
      }
      long[] shape = {tokens, layout.kvHeads(), layout.headDim()};
      return new KeyValue(array(keys, shape), array(values, shape));
    }

    private INDArray array(float[] elements, long... shape) {
      return Nd4j.create(elements, shape, 'c').detach();
    }
  }
}
