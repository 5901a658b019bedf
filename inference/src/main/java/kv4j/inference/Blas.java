package kv4j.inference;

import org.bytedeco.openblas.global.openblas;
import org.bytedeco.openblas.global.openblas_nolapack;

/** The BLAS library under ND4J. */
public final class Blas {
  private Blas() {}

  /** Lets BLAS run each call on the thread that makes it: kv4j's workers share out the work. */
  public static void useOneThread() {
    useThreads(1);
  }

  /** How many threads BLAS takes for one call, in the whole process. */
  public static void useThreads(int threads) {
    openblas_nolapack.blas_set_num_threads(threads);
  }

  /** {@code MKL}, {@code OpenBLAS} or another. */
  public static String vendor() {
    return switch (openblas_nolapack.blas_get_vendor()) {
      case openblas.BLAS_MKL -> "MKL";
      case openblas.BLAS_OPENBLAS -> "OpenBLAS";
      default -> "unknown";
    };
  }
}
