package kv4j.apps.measure;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.Arrays;
import kv4j.apps.workload.Speedup;
import org.junit.jupiter.api.Test;

class CeilingsTest {
  @Test
  void requestsOfOneLengthAfterAColdOne() {
    int n = 40;
    double f = 200;
    double g = 20;
    double d = 80;
    double[] full = filled(n, f);
    double[] warm = filled(n, g);
    warm[0] = f;
    Speedup ceiling = Ceilings.of(full, warm, filled(n, d));
    assertEquals(n * f / (f + (n - 1) * g), ceiling.ttft(), 1e-12);
    assertEquals(ceiling.ttft(), ceiling.throughput());
    assertEquals(n * (f + d) / (f + (n - 1) * g + n * d), ceiling.latency(), 1e-12);
  }

  @Test
  void requestsOfManyLengthsAreSummed() {
    Speedup ceiling =
        Ceilings.of(new double[] {100, 300}, new double[] {100, 60}, new double[] {40, 0});
    assertEquals(400.0 / 160, ceiling.ttft(), 1e-12);
    assertEquals(440.0 / 200, ceiling.latency(), 1e-12);
  }

  private static double[] filled(int n, double value) {
    double[] values = new double[n];
    Arrays.fill(values, value);
    return values;
  }
}
