package kv4j.inference.kernel;

import static org.junit.jupiter.api.Assumptions.assumeFalse;

/** The forms of the kernels under test: both, but in the build with plain kernels. */
final class Forms {
  /** Set by the profile {@code plain-kernels}, whose JVM has no Vector API. */
  static final boolean ONLY_PLAIN = Boolean.getBoolean("kv4j.test.plain");

  private Forms() {}

  /**
   * @param name {@code plain} or {@code vector}
   */
  static Kernels named(String name) {
    if (name.equals("vector")) {
      assumeVectorApi();
    }
    return KernelChoice.choose(name);
  }

  static void assumeVectorApi() {
    assumeFalse(ONLY_PLAIN, "this build has plain kernels only");
  }
}
