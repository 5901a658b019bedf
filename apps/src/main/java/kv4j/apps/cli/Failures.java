package kv4j.apps.cli;

import java.io.IOException;
import org.bytedeco.javacpp.Pointer;

/** Says in a sentence what broke a program. */
final class Failures {
  private static final double MIB = 1 << 20;

  private Failures() {}

  static String sentence(Throwable failure) {
    if (failure instanceof OutOfMemoryError) {
      return outOfMemory(failure);
    }
    boolean noBackend = failure.getClass().getSimpleName().equals("NoAvailableBackendException");
    if (failure instanceof LinkageError || noBackend) {
      return "a native library or a class cannot be loaded (%s); it may be of another platform or version than this build"
          .formatted(said(failure));
    }
    boolean ours = failure instanceof IllegalStateException || failure instanceof IOException;
    return ours && failure.getMessage() != null ? failure.getMessage() : said(failure);
  }

  private static String outOfMemory(Throwable failure) {
    return "out of memory (%s): the Java heap may have %.0f MiB, native memory %.0f MiB; lower --max-bytes, --context or the sizes of prompts, or raise the limits with JAVA_TOOL_OPTIONS=\"-XX:MaxRAMPercentage=80 -Dorg.bytedeco.javacpp.maxBytes=8G\""
        .formatted(
            failure.getMessage() == null ? "no more is told" : failure.getMessage(),
            Runtime.getRuntime().maxMemory() / MIB,
            Pointer.maxBytes() / MIB);
  }

  private static String said(Throwable failure) {
    if (failure.getMessage() == null && failure.getCause() != null) {
      return said(failure.getCause());
    }
    String message = failure.getMessage() == null ? "" : ": " + failure.getMessage();
    return failure.getClass().getSimpleName() + message.replaceAll("\\s+", " ");
  }
}
