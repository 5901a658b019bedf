package kv4j.inference.kernel;

/** Which form of the kernels this JVM uses. */
final class KernelChoice {
  /** System property that forces {@code plain} or {@code vector}. */
  static final String PROPERTY = "kv4j.kernels";

  private static final String MODULE = "jdk.incubator.vector";
  private static final String FLAG = "the JVM option --add-modules " + MODULE;

  static final Kernels BEST = choose(System.getProperty(PROPERTY, ""));

  private KernelChoice() {}

  /**
   * @param forced {@code plain}, {@code vector} or empty
   * @throws IllegalArgumentException if it is something else or cannot be had
   */
  static Kernels choose(String forced) {
    switch (forced) {
      case "plain":
        return new PlainKernels();
      case "vector":
        try {
          return vector();
        } catch (ReflectiveOperationException | LinkageError e) {
          throw new IllegalArgumentException(PROPERTY + "=vector needs " + FLAG, e);
        }
      case "":
        try {
          return vector();
        } catch (ReflectiveOperationException | LinkageError e) {
          System.err.println(
              "kv4j: attention and norms run several times slower than with the Java Vector API;"
                  + " it takes "
                  + FLAG);
          return new PlainKernels();
        }
      default:
        throw new IllegalArgumentException(PROPERTY + " must be plain or vector, not " + forced);
    }
  }

  /** By reflection, so that nothing else needs the incubator module to compile or to load. */
  private static Kernels vector() throws ReflectiveOperationException {
    Class.forName(MODULE + ".FloatVector"); // whether loaded at the start or later
    return (Kernels)
        Class.forName("kv4j.inference.kernel.VectorKernels").getDeclaredConstructor().newInstance();
  }
}
