package kv4j.apps;

/**
 * Makes the Java Vector API usable without {@code --add-modules jdk.incubator.vector}, by which the
 * JVM would begin every run with a warning that has no switch.
 *
 * <p>The JDK loads modules late for agents that attach to a running JVM; what it does for them does
 * here too. The jar's manifest opens the way ({@code Add-Exports}). Where it is not open, or a JDK
 * has no such way, nothing is lost but speed, and the kernels say so.
 */
final class VectorApi {
  private static final String MODULE = "jdk.incubator.vector";

  private VectorApi() {}

  /** Loads the module, if it is not there yet. Has to come before the first kernel. */
  static void load() {
    if (ModuleLayer.boot().findModule(MODULE).isPresent()) {
      return;
    }
    try {
      Class.forName("jdk.internal.module.Modules")
          .getMethod("loadModule", String.class)
          .invoke(null, MODULE);
    } catch (ReflectiveOperationException e) {
      // The kernels find out for themselves, and say which option it takes.
    }
  }
}
