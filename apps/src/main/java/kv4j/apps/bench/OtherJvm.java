package kv4j.apps.bench;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.lang.ProcessBuilder.Redirect;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import kv4j.apps.workload.Spread;

/**
 * Runs the benchmark in a JVM of its own, like this one but for a property that is read once in a
 * process.
 */
public final class OtherJvm {
  private final ChildJvm jvm;
  private final List<String> arguments;

  /**
   * @param jvm runs this program
   * @param arguments that make it run the benchmark, without a file to write to
   */
  public OtherJvm(ChildJvm jvm, List<String> arguments) {
    this.jvm = jvm;
    this.arguments = List.copyOf(arguments);
  }

  /**
   * Runs the benchmark with the plain kernels.
   *
   * @param passes to return
   * @throws IOException if it fails
   */
  public Map<Pass, Spread> run(Comparison comparison, Collection<Pass> passes)
      throws IOException, InterruptedException {
    Path json = Files.createTempFile("kv4j-bench", ".json");
    try {
      jvm.run(
          "the benchmark with " + comparison.label(),
          List.of(property(comparison)),
          Stream.concat(arguments.stream(), Stream.of("--json", json.toString())).toList(),
          Redirect.PIPE);
      JsonNode document = new ObjectMapper().readTree(json.toFile());
      checkIsOther(comparison, document);
      return BenchReport.readTimes(document, passes);
    } finally {
      Files.deleteIfExists(json);
    }
  }

  private static String property(Comparison comparison) {
    return switch (comparison) {
      case PLAIN -> "-Dkv4j.kernels=plain";
      case STOCK -> throw new IllegalArgumentException("no other JVM is needed");
    };
  }

  /** A comparison of something with itself would look plausible. */
  static void checkIsOther(Comparison comparison, JsonNode document) {
    boolean other = Comparison.isPlain(document.path("kernels").asText());
    if (!other) {
      throw new IllegalStateException("the benchmark did not run with " + comparison.label());
    }
  }
}
