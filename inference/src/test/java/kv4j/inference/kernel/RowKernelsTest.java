package kv4j.inference.kernel;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.Random;
import java.util.function.IntToDoubleFunction;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The kernels on single rows, each form against its formula in double precision. */
class RowKernelsTest {
  private static final int CASES = 200;
  private static final float EPSILON = 1e-5f;
  private static final float UNTOUCHED = -12345;

  /** A kernel on a row of {@code n} at {@code at}, with the value each element should have. */
  private interface Check {
    void run(Kernels kernels, Random random, int n, int at, float[] out);
  }

  /** Runs a check on rows of many lengths and places; prints the seed on failure. */
  private static void overRandomRows(String form, Check check) {
    Kernels kernels = Forms.named(form);
    long seed = System.nanoTime();
    for (int i = 0; i < CASES; i++) {
      Random random = new Random(seed + i);
      int n = 1 + random.nextInt(150);
      int at = random.nextInt(20);
      float[] out = new float[at + n + random.nextInt(20)];
      Arrays.fill(out, UNTOUCHED);
      try {
        check.run(kernels, random, n, at, out);
      } catch (AssertionError | RuntimeException e) {
        throw new AssertionError(kernels.name() + ", n " + n + ", seed " + (seed + i), e);
      }
    }
  }

  private static void assertRow(IntToDoubleFunction expected, int n, int at, float[] out) {
    for (int i = 0; i < out.length; i++) {
      boolean inside = i >= at && i < at + n;
      double value = inside ? expected.applyAsDouble(i - at) : UNTOUCHED;
      double tolerance = inside ? 2e-6 * Math.max(1, Math.abs(value)) : 0;
      assertEquals(value, out[i], tolerance, "element " + (i - at));
    }
  }

  private static float[] gaussian(Random random, int n, double size) {
    float[] x = new float[n];
    for (int i = 0; i < n; i++) {
      x[i] = (float) (size * random.nextGaussian());
    }
    return x;
  }

  private static double mean(int n, IntToDoubleFunction f) {
    double sum = 0;
    for (int i = 0; i < n; i++) {
      sum += f.applyAsDouble(i);
    }
    return sum / n;
  }

  @ParameterizedTest
  @ValueSource(strings = {"plain", "vector"})
  void rmsNorm(String form) {
    overRandomRows(
        form,
        (kernels, random, n, at, out) -> {
          int xAt = random.nextInt(9);
          float[] x = gaussian(random, xAt + n, 3);
          float[] gain = gaussian(random, n, 1);
          kernels.rmsNorm(x, xAt, gain, EPSILON, n, out, at);
          double rms = Math.sqrt(mean(n, i -> (double) x[xAt + i] * x[xAt + i]) + EPSILON);
          assertRow(i -> x[xAt + i] / rms * gain[i], n, at, out);
        });
  }

  @ParameterizedTest
  @ValueSource(strings = {"plain", "vector"})
  void layerNorm(String form) {
    overRandomRows(
        form,
        (kernels, random, n, at, out) -> {
          int xAt = random.nextInt(9);
          float[] x = gaussian(random, xAt + n, 1);
          float[] gain = gaussian(random, n, 1);
          float[] bias = gaussian(random, n, 1);
          float epsilon = 1e-2f; // rows of one element have no variance
          kernels.layerNorm(x, xAt, gain, bias, epsilon, n, out, at);
          double mean = mean(n, i -> x[xAt + i]);
          double deviation = Math.sqrt(mean(n, i -> Math.pow(x[xAt + i] - mean, 2)) + epsilon);
          assertRow(i -> (x[xAt + i] - mean) / deviation * gain[i] + bias[i], n, at, out);
        });
  }

  @ParameterizedTest
  @ValueSource(strings = {"plain", "vector"})
  void swiGlu(String form) {
    overRandomRows(
        form,
        (kernels, random, n, at, out) -> {
          int from = random.nextInt(9);
          float[] x = gaussian(random, from + 2 * n, random.nextBoolean() ? 1 : 100);
          kernels.swiGlu(x, from, n, out, at);
          assertRow(i -> x[from + i] / (1 + Math.exp(-x[from + i])) * x[from + n + i], n, at, out);
        });
  }

  @ParameterizedTest
  @ValueSource(strings = {"plain", "vector"})
  void gelu(String form) {
    overRandomRows(
        form,
        (kernels, random, n, at, out) -> {
          int from = random.nextInt(9);
          float[] x = gaussian(random, from + n, random.nextBoolean() ? 1 : 100);
          kernels.gelu(x, from, n, out, at);
          assertRow(
              i -> {
                double v = x[from + i];
                return v / 2 * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (v + 0.044715 * v * v * v)));
              },
              n,
              at,
              out);
        });
  }

  @ParameterizedTest
  @ValueSource(strings = {"plain", "vector"})
  void add(String form) {
    overRandomRows(
        form,
        (kernels, random, n, at, out) -> {
          float[] delta = gaussian(random, 3 + n, 1);
          float[] before = out.clone();
          kernels.add(out, at, delta, 3, n);
          for (int i = 0; i < n; i++) {
            before[at + i] += delta[3 + i];
          }
          assertEquals(Arrays.toString(before), Arrays.toString(out));
        });
  }

  @ParameterizedTest
  @ValueSource(strings = {"plain", "vector"})
  void rotate(String form) {
    overRandomRows(
        form,
        (kernels, random, n, at, out) -> {
          boolean adjacent = random.nextBoolean();
          int headDim = 1 + random.nextInt(70);
          int heads = 1 + random.nextInt(4);
          int tableAt = random.nextInt(9);
          float[] cos = gaussian(random, tableAt + headDim / 2, 1);
          float[] sin = gaussian(random, tableAt + headDim / 2, 1);
          float[] x = gaussian(random, at + heads * headDim + 3, 1);
          double[] expected = new double[x.length];
          for (int i = 0; i < x.length; i++) {
            expected[i] = x[i];
          }
          for (int pair = 0; pair < heads * (headDim / 2); pair++) {
            int i = pair % (headDim / 2);
            int head = at + pair / (headDim / 2) * headDim;
            int a = head + (adjacent ? 2 * i : i);
            int b = head + (adjacent ? 2 * i + 1 : i + headDim / 2);
            double c = cos[tableAt + i], s = sin[tableAt + i];
            expected[a] = x[a] * c - x[b] * s;
            expected[b] = x[a] * s + x[b] * c;
          }
          kernels.rotate(x, at, heads, headDim, cos, sin, tableAt, adjacent);
          for (int i = 0; i < x.length; i++) {
            assertEquals(expected[i], x[i], 1e-5, "element " + i);
          }
        });
  }

  @Test
  void exponentialIsAccurateAndGoesToZero() {
    for (double x = -87; x < 88; x += 0.00217) {
      double expected = Math.exp((float) x);
      assertTrue(Math.abs(Exp.exp((float) x) - expected) <= 5e-7 * expected, "exp of " + x);
    }
    assertEquals(1, Exp.exp(0));
    assertEquals(0, Exp.exp(-100));
    assertEquals(0, Exp.exp(Float.NEGATIVE_INFINITY));
    assertTrue(Float.isFinite(Exp.exp(Float.POSITIVE_INFINITY)));
    assertTrue(Float.isNaN(Exp.exp(Float.NaN)));
  }

  @Test
  void theChoiceIsByName() {
    assertEquals("plain", KernelChoice.choose("plain").name());
    assertThrows(IllegalArgumentException.class, () -> KernelChoice.choose("fast"));
    if (Forms.ONLY_PLAIN) {
      assertThrows(IllegalArgumentException.class, () -> KernelChoice.choose("vector"));
      assertEquals("plain", KernelChoice.choose("").name());
    } else {
      assertTrue(KernelChoice.choose("vector").name().startsWith("vector"));
      assertTrue(KernelChoice.choose("").name().startsWith("vector"));
    }
  }
}
