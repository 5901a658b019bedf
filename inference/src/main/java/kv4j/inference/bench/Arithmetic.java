package kv4j.inference.bench;

import java.util.stream.Stream;
import kv4j.inference.Blas;
import org.bytedeco.javacpp.FloatPointer;
import org.bytedeco.openblas.global.openblas_nolapack;

/** Measures fp32 operations per second. */
final class Arithmetic {
  private static final String MODULE = "jdk.incubator.vector";
  private static final int ITERATIONS = 100_000;
  private static final int ROW_MAJOR = 101;
  private static final int AS_IS = 111;
  private static final int SIZE = 512;

  private Arithmetic() {}

  /** Fused multiply-adds in registers. */
  interface FmaLoop {
    /**
     * Runs.
     *
     * @return what came of it, for the compiler to have to compute it
     */
    float run(int iterations);

    /** Operations in each iteration. */
    int flops();
  }

  /** By a loop on the Java Vector API; 0 if this JVM has none. */
  static double vectorFlopsPerSecond(Team team) {
    if (!hasVectorApi()) {
      return 0;
    }
    FmaLoop loop = vectorLoop();
    float[] sink = new float[team.threads()];
    double perSecond = team.timesPerSecond(thread -> sink[thread] = loop.run(ITERATIONS));
    return perSecond * ITERATIONS * loop.flops();
  }

  private static boolean hasVectorApi() {
    try {
      Class.forName(MODULE + ".FloatVector"); // whether loaded at the start or later
      return true;
    } catch (ClassNotFoundException e) {
      return false;
    }
  }

  /** By reflection, so that nothing else needs the incubator module to compile or to load. */
  private static FmaLoop vectorLoop() {
    try {
      return (FmaLoop)
          Class.forName("kv4j.inference.bench.VectorFmaLoop")
              .getDeclaredConstructor()
              .newInstance();
    } catch (ReflectiveOperationException e) {
      throw new IllegalStateException(e);
    }
  }

  /** By BLAS: each thread multiplies square matrices of its own. */
  static double blasFlopsPerSecond(Team team) {
    Blas.useOneThread();
    Product[] products =
        Stream.generate(Product::new).limit(team.threads()).toArray(Product[]::new);
    double perSecond = team.timesPerSecond(thread -> products[thread].multiply());
    Stream.of(products).forEach(Product::close);
    return perSecond * 2 * SIZE * SIZE * SIZE;
  }

  /** Two matrices and room for their product, outside the heap. */
  private static final class Product implements AutoCloseable {
    private final FloatPointer a = matrix();
    private final FloatPointer b = matrix();
    private final FloatPointer c = matrix();

    private static FloatPointer matrix() {
      FloatPointer matrix = new FloatPointer((long) SIZE * SIZE);
      for (long i = 0; i < (long) SIZE * SIZE; i++) {
        matrix.put(i, 1f / SIZE);
      }
      return matrix;
    }

    void multiply() {
      openblas_nolapack.cblas_sgemm(
          ROW_MAJOR, AS_IS, AS_IS, SIZE, SIZE, SIZE, 1f, a, SIZE, b, SIZE, 0f, c, SIZE);
    }

    @Override
    public void close() {
      a.close();
      b.close();
      c.close();
    }
  }
}
