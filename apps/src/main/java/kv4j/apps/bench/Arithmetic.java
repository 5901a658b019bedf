package kv4j.apps.bench;

import java.util.Optional;
import java.util.stream.Stream;
import kv4j.inference.Blas;
import kv4j.inference.kernel.FmaLoop;
import org.bytedeco.javacpp.FloatPointer;
import org.bytedeco.openblas.global.openblas_nolapack;

/** Measures fp32 operations per second. */
final class Arithmetic {
  private static final int ITERATIONS = 100_000;
  private static final int ROW_MAJOR = 101;
  private static final int AS_IS = 111;
  private static final int SIZE = 512;

  private Arithmetic() {}

  /** By a loop on the Java Vector API; 0 if this JVM has none. */
  static double vectorFlopsPerSecond(Team team) {
    Optional<FmaLoop> vector = FmaLoop.vector();
    if (vector.isEmpty()) {
      return 0;
    }
    FmaLoop loop = vector.get();
    float[] sink = new float[team.threads()];
    double perSecond = team.timesPerSecond(thread -> sink[thread] = loop.run(ITERATIONS));
    return perSecond * ITERATIONS * loop.flops();
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
