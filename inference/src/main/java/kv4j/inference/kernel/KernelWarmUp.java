package kv4j.inference.kernel;

import java.util.List;
import java.util.function.Consumer;
import java.util.stream.IntStream;
import kv4j.cache.block.KvBlock;
import kv4j.cache.block.KvDtype;
import kv4j.cache.block.KvLayout;
import kv4j.cache.block.KvSpans;
import kv4j.model.format.block.TensorType;
import kv4j.model.weight.PanelMatrix;
import kv4j.model.weight.PanelPacker;

/**
 * Runs kernels on small inputs until the JVM has compiled them, so that the first prompt does not
 * wait for that: until then they run hundreds of times slower, since each vector is an object.
 * Meant for a thread of its own while a model is loaded.
 *
 * <p>A JVM compiles a method for good after some hundred calls with some ten thousand turns of its
 * loops; the launcher has it do so after a fifth of that. Some inputs are short, so that even
 * before most of these calls are soon over; others are so long that every loop goes round, since
 * what never happened is not compiled.
 */
public final class KernelWarmUp {
  private static final int CALLS = 900;
  private static final long MOST_NANOS = 700_000_000;
  private static final int INPUTS = 32;
  private static final int ROWS = 10; // six, three and one
  private static final int HEAD_DIM = 32;
  private static final int GROUP = 2;
  private static final int SEEN = 40;
  private static final int SEEN_LONG = 300;

  private final Kernels kernels;

  private KernelWarmUp(Kernels kernels) {
    this.kernels = kernels;
  }

  /** Begins with all that computes on floats, as every model does. */
  public static void startInBackground() {
    inBackground("kv4j-warm-up", KernelWarmUp::run);
  }

  /** Goes on with products of weights of a type. */
  public static void startInBackground(TensorType type) {
    if (type != TensorType.F32) {
      inBackground("kv4j-warm-up-" + type, warmUp -> warmUp.products(type));
    }
  }

  /**
   * Plain kernels are left alone: uncompiled they are not that slow, and their products would start
   * ND4J, while the caller may be doing so.
   *
   * @throws IllegalArgumentException on the calling thread, if there are no such kernels
   */
  private static void inBackground(String name, Consumer<KernelWarmUp> work) {
    Kernels kernels = Kernels.best();
    if (kernels instanceof PlainKernels) {
      return;
    }
    Thread thread = new Thread(() -> work.accept(new KernelWarmUp(kernels)), name);
    thread.setDaemon(true);
    thread.start();
  }

  private void run() {
    products(TensorType.F32);
    rows();
    repeat(
        attention(24, SEEN), attention(1, SEEN), attention(24, SEEN_LONG), attention(1, SEEN_LONG));
  }

  private void products(TensorType type) {
    int few = Math.max(INPUTS, type.blockElements());
    int many = 2 * ProductScratch.DEPTH + few;
    repeat(product(type, few, ROWS), product(type, few, 1), product(type, many, ROWS));
  }

  private Runnable product(TensorType type, int inputs, int rows) {
    PanelPacker packer = new PanelPacker(inputs, false);
    packer.add(type, 100);
    PanelMatrix matrix = packer.matrix();
    Product product = kernels.product(new Weight(false, () -> matrix, matrix::expand));
    ProductScratch scratch = new ProductScratch();
    float[] x = new float[rows * inputs];
    float[] out = new float[rows * matrix.outputs()];
    return () -> {
      product.run(x, 0, rows, 0, product.parts(), null, false, out, scratch);
      product.run(x, 0, rows, 0, product.parts(), null, true, out, scratch);
    };
  }

  private Runnable attention(int rows, int seen) {
    KvLayout layout = new KvLayout(1, 1, HEAD_DIM, KvLayout.TILE, KvDtype.F32);
    List<KvBlock> blocks =
        IntStream.range(0, layout.blocksFor(seen)).mapToObj(i -> new KvBlock(layout)).toList();
    KvSpans spans = KvSpans.of(blocks, seen);
    AttentionTask task = new AttentionTask(spans, 0, 0, rows, 0, rows, GROUP, 0.2f);
    int width = GROUP * HEAD_DIM;
    float[] queries = new float[rows * width];
    float[] output = new float[rows * width];
    float[] keys = new float[layout.blockTokens() * layout.width()];
    AttentionScratch scratch = new AttentionScratch();
    return () -> {
      kernels.attend(task, queries, output, 0, width, scratch);
      blocks.get(0).write(0, 0, layout.blockTokens(), keys, keys, 0);
    };
  }

  private void rows() {
    int n = 512;
    float[] x = new float[2 * n];
    float[] out = new float[2 * n];
    float[] gain = new float[n];
    float[] table = new float[n];
    repeat(() -> kernels.rmsNorm(x, 0, gain, 1e-5f, n, out, 0));
    repeat(() -> kernels.swiGlu(x, 0, n, out, 0));
    repeat(() -> kernels.rotate(out, 0, 4, HEAD_DIM, table, table, 0, true));
    repeat(() -> kernels.add(out, 0, x, 0, n));
  }

  /**
   * In turns, so that none is compiled for one kind of input alone; for good, or until it takes too
   * long: a slow machine has better things to do.
   */
  private static void repeat(Runnable... kernels) {
    long begin = System.nanoTime();
    for (int i = 0; i < CALLS && System.nanoTime() - begin < MOST_NANOS; i++) {
      kernels[i % kernels.length].run();
    }
  }
}
