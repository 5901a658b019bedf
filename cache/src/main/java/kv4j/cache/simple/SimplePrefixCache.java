package kv4j.cache.simple;

import java.nio.IntBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import kv4j.cache.BlockSequence;
import kv4j.cache.CacheStats;
import kv4j.cache.KvCache;
import kv4j.cache.KvCacheConfig;
import kv4j.cache.KvRequest;
import kv4j.cache.KvSequence;
import kv4j.cache.Lookup;
import kv4j.cache.TreeSnapshot;
import kv4j.cache.block.KvBlock;
import kv4j.cache.block.KvLayout;
import kv4j.cache.simple.SimpleKvCache.KeyValue;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/**
 * The explicit-prefix cache behind the hook: a request says how many of its leading tokens it
 * shares with others, and those are looked up and stored as a whole. Each layer's keys and values
 * are one entry of a {@link SimpleKvCache}, {@code [tokens, kvHeads, headDim]}; a sequence that
 * hits gets them copied into blocks of its own. Prefixes make room, and expire, as a whole.
 */
public final class SimplePrefixCache implements KvCache {
  private final KvLayout layout;
  final WholePrefixes prefixes;

  public SimplePrefixCache(KvCacheConfig config) {
    layout = config.layout();
    prefixes = new WholePrefixes(config);
  }

  /** Bytes that a prefix takes in this cache: a smaller limit never keeps it. */
  public static long bytesForPrefix(KvLayout layout, int tokens) {
    return 2L * layout.layers() * layout.width() * Float.BYTES * tokens;
  }

  @Override
  public KvLayout layout() {
    return layout;
  }

  /**
   * {@inheritDoc}
   *
   * @throws IllegalStateException if the cache is closed
   */
  @Override
  public KvSequence open(KvRequest request) {
    int[] prompt = request.prompt();
    WholePrefixes.Found found = prefixes.find(Prefix.of(request, prompt), request);
    return new Sequence(request, found.lookup(), found.layers());
  }

  @Override
  public CacheStats stats() {
    return prefixes.stats();
  }

  /** The prefixes that are kept, each a run by itself. */
  @Override
  public Optional<TreeSnapshot> snapshot() {
    return Optional.of(prefixes.snapshot());
  }

  /** Removes everything at once. Open sequences go on, and what they commit is not kept. */
  @Override
  public void close() {
    prefixes.close();
  }

  /** What names a prefix. */
  record Prefix(String namespace, String model, String salt, IntBuffer tokens) {
    /** The first tokens of a sequence, as many as its request shares. */
    static Prefix of(KvRequest request, int[] tokens) {
      int[] ids = Arrays.copyOf(tokens, request.sharedPrefixTokens());
      return new Prefix(request.namespace(), request.model(), request.salt(), IntBuffer.wrap(ids));
    }

    int length() {
      return tokens.capacity();
    }

    /** Whether whoever misses this prefix may learn that another tenant or model has it. */
    boolean mayTellOf(Prefix other) {
      return salt.isEmpty() && other.salt.isEmpty() && tokens.equals(other.tokens);
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
        prefixes.store(
            Prefix.of(request, tokens), request.label(), layer -> copyOut(layer, shared));
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
