package kv4j.inference;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Collection;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.openjdk.jmh.results.RunResult;
import org.openjdk.jmh.runner.Runner;
import org.openjdk.jmh.runner.RunnerException;
import org.openjdk.jmh.runner.options.CommandLineOptions;
import org.openjdk.jmh.runner.options.OptionsBuilder;
import org.openjdk.jmh.runner.options.TimeValue;
import org.openjdk.jmh.runner.options.VerboseMode;

/**
 * That the JMH benchmarks run, if only for a moment. With JMH's own options in the system property
 * {@code jmh} it runs what they say instead, as {@code -Djmh="RowKernels -p kernels=vector"}.
 */
class BenchmarksTest {
  private static final String OPTIONS = "jmh";

  static {
    System.setProperty("jmh.ignoreLock", "true"); // others may be at it on this machine
  }

  @ParameterizedTest
  @CsvSource({
    "\\.AttentionBenchmark, 1, kernels=plain headDim=32 rows=32/512",
    "SharedAttentionBenchmark, 1, kernels=plain sequences=2 shared=128 together=true",
    "RowKernelsBenchmark, 7, kernels=plain dim=256",
    "HookBenchmark, 2, tokens=1 dtype=I8",
    "ProductBenchmark, 2, kernels=plain rows=1 shape=256x1408"
  })
  void runs(String benchmark, int methods, String parameters) throws RunnerException {
    OptionsBuilder options = new OptionsBuilder();
    options
        .include(benchmark)
        .forks(0)
        .warmupIterations(0)
        .measurementIterations(1)
        .measurementTime(TimeValue.milliseconds(1))
        .shouldFailOnError(true)
        .verbosity(VerboseMode.SILENT);
    for (String parameter : parameters.split(" ")) {
      String[] parts = parameter.split("=");
      options.param(parts[0], parts[1]);
    }
    Collection<RunResult> results = new Runner(options.build()).run();
    assertEquals(methods, results.size());
    for (RunResult result : results) {
      assertTrue(result.getPrimaryResult().getScore() > 0);
      assertTrue(
          result.getSecondaryResults().values().stream().allMatch(rate -> rate.getScore() > 0));
      assertEquals(1, result.getSecondaryResults().size());
    }
  }

  @Test
  @EnabledIfSystemProperty(named = OPTIONS, matches = ".*")
  void runsWhatIsAskedFor() throws Exception {
    String[] asked = System.getProperty(OPTIONS).split(" ");
    assertFalse(new Runner(new CommandLineOptions(asked)).run().isEmpty());
  }
}
