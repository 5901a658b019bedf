package kv4j.inference.kernel;

import java.util.Optional;

/** Fused multiply-adds in registers alone: what the processor can do at most. */
public interface FmaLoop {
  /**
   * Runs.
   *
   * @return what came of it, for the compiler to have to compute it
   */
  float run(int iterations);

  /** Operations in each iteration. */
  int flops();

  /** One on the Java Vector API; empty if this JVM has none. */
  static Optional<FmaLoop> vector() {
    try {
      Class.forName("jdk.incubator.vector.FloatVector"); // whether loaded at the start or later
    } catch (ClassNotFoundException e) {
      return Optional.empty();
    }
    try { // by reflection, so that nothing else needs the incubator module to compile or to load
      return Optional.of(
          (FmaLoop)
              Class.forName("kv4j.inference.kernel.VectorFmaLoop")
                  .getDeclaredConstructor()
                  .newInstance());
    } catch (ReflectiveOperationException e) {
      throw new IllegalStateException(e);
    }
  }
}
