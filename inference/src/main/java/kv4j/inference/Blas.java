package kv4j.inference;

import org.bytedeco.openblas.global.openblas_nolapack;
import org.nd4j.linalg.api.environment.Nd4jEnvironment;
import org.nd4j.linalg.factory.Nd4j;

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

  /** Such as {@code OPENBLAS}, as ND4J names it. */
  public static String vendor() {
    return String.valueOf(
        Nd4j.getExecutioner().getEnvironmentInformation().get(Nd4jEnvironment.BLAS_VENDOR_KEY));
  }
}
