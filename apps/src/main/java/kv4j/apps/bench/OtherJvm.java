package kv4j.apps.bench;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.charset.Charset;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import kv4j.apps.workload.Spread;

/**
 * Runs the benchmark in a JVM of its own, like this one but for a property that is read once in a
 * process.
 */
public final class OtherJvm {
  private final String mainClass;
  private final List<String> arguments;

  /**
   * @param mainClass of the program
   * @param arguments that make it run the benchmark, without a file to write to
   */
  public OtherJvm(String mainClass, List<String> arguments) {
    this.mainClass = mainClass;
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
      run(command(property(comparison), json), comparison);
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

  /** Of two options for one property, the last counts. */
  private List<String> command(String property, Path json) {
    List<String> command = new ArrayList<>();
    command.add(java());
    for (String option : ManagementFactory.getRuntimeMXBean().getInputArguments()) {
      boolean watches = option.startsWith("-agent") || option.startsWith("-javaagent");
      if (!watches) {
        command.add(option);
      }
    }
    command.addAll(List.of("--add-modules", "jdk.incubator.vector"));
    command.addAll(List.of(property, "-cp", System.getProperty("java.class.path"), mainClass));
    command.addAll(arguments);
    command.addAll(List.of("--json", json.toString()));
    return command;
  }

  private static String java() {
    return ProcessHandle.current()
        .info()
        .command()
        .orElseGet(() -> Path.of(System.getProperty("java.home"), "bin", "java").toString());
  }

  private static void run(List<String> command, Comparison comparison)
      throws IOException, InterruptedException {
    Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
    try {
      String output = new String(process.getInputStream().readAllBytes(), Charset.defaultCharset());
      int status = process.waitFor();
      if (status != 0) {
        throw new IOException(
            "the benchmark with %s failed with status %d: %s"
                .formatted(comparison.label(), status, output.strip()));
      }
    } finally {
      process.destroy();
    }
  }

  /** A comparison of something with itself would look plausible. */
  static void checkIsOther(Comparison comparison, JsonNode document) {
    boolean other = Comparison.isPlain(document.path("kernels").asText());
    if (!other) {
      throw new IllegalStateException("the benchmark did not run with " + comparison.label());
    }
  }
}
