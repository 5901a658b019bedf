package kv4j.apps;

import java.util.List;
import org.nd4j.linalg.factory.Nd4j;

/** What has to be set before ND4J's first class is loaded. */
final class Nd4jSetup {
  private Nd4jSetup() {}

  /**
   * Sets what the launcher or the user has not set.
   *
   * @param verbose whether ND4J's log goes to the user
   */
  static void prepare(boolean verbose) {
    setDefault("org.slf4j.simpleLogger.defaultLogLevel", verbose ? "info" : "error");
    setDefault("org.slf4j.simpleLogger.log.kv4j", verbose ? "info" : "warn");
    // Infinispan and JGroups log, with stack traces, what stores tell in a sentence.
    setDefault("org.jboss.logging.provider", "slf4j");
    for (String library : List.of("org.infinispan", "org.jgroups")) {
      setDefault("org.slf4j.simpleLogger.log." + library, verbose ? "info" : "off");
    }
    setDefault("org.nd4j.log.initialization", Boolean.toString(verbose));
    // JavaCPP counts the whole process, the Java heap and so the cache included, and would give up
    // at a limit that is meant for what is outside the heap.
    setDefault("org.bytedeco.javacpp.maxphysicalbytes", "0");
  }

  /** Has ND4J load its backend and native libraries, as its first use would. */
  static void start() {
    Nd4j.getBackend();
  }

  private static void setDefault(String name, String value) {
    if (System.getProperty(name) == null) {
      System.setProperty(name, value);
    }
  }
}
