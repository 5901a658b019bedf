package kv4j.inference.kernel;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.management.ThreadMXBean;
import java.lang.management.ManagementFactory;
import java.util.Random;
import kv4j.model.format.block.TensorType;
import kv4j.model.weight.PanelMatrix;
import kv4j.model.weight.Panels;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

class ProductTest {
  private static final int CASES = 60;

  private static Product product(String form, PanelMatrix matrix) {
    return Forms.named(form)
        .product(new Weight(matrix.outputsFirst(), () -> matrix, matrix::expand));
  }

  private static float[] random(Random random, int count) {
    float[] values = new float[count];
    for (int i = 0; i < count; i++) {
      values[i] = (float) random.nextGaussian();
    }
    return values;
  }

  /** In double precision, of the weights that the matrix's rows expand to. */
  private static void check(
      String what, PanelMatrix matrix, float[] x, int rows, float[] before, float[] actual) {
    int inputs = matrix.inputs();
    float[] w = new float[inputs];
    for (int output = 0; output < matrix.outputs(); output++) {
      matrix.row(output, w, 0);
      for (int row = 0; row < rows; row++) {
        double sum = before[row * matrix.outputs() + output];
        double size = Math.abs(sum);
        for (int i = 0; i < inputs; i++) {
          double term = (double) x[row * inputs + i] * w[i];
          sum += term;
          size += Math.abs(term);
        }
        assertEquals(
            sum,
            actual[row * matrix.outputs() + output],
            1e-6 * size + 1e-6,
            what + ", row " + row + ", output " + output);
      }
    }
  }

  /** Rows, inputs and outputs of all kinds, shared out among workers by rows and by outputs. */
  @ParameterizedTest
  @ValueSource(strings = {"plain", "vector"})
  void equalsADoublePrecisionReference(String form) {
    long seed = System.nanoTime();
    Random random = new Random(seed);
    for (int i = 0; i < CASES; i++) {
      int rows = 1 + random.nextInt(70);
      int inputs = 1 + random.nextInt(random.nextBoolean() ? 40 : 700);
      int outputs = 1 + random.nextInt(200);
      boolean add = random.nextBoolean();
      float[] bias = random.nextBoolean() ? random(random, outputs) : null;
      PanelMatrix matrix =
          RandomPanels.of(random, inputs, new TensorType[] {TensorType.F32}, outputs);
      String what =
          "seed %d: %d x %d x %d%s%s"
              .formatted(
                  seed, rows, inputs, outputs, add ? ", sum" : "", bias == null ? "" : ", bias");
      Product product = product(form, matrix);
      float[] x = random(random, rows * inputs);
      float[] before = random(random, rows * outputs);
      float[] byRows = before.clone();
      float[] byParts = before.clone();
      int workers = 1 + random.nextInt(4);
      ProductScratch scratch = new ProductScratch();
      for (int w = 0; w < workers; w++) {
        int row = rows * w / workers;
        int nextRow = rows * (w + 1) / workers;
        product.run(x, row, nextRow, 0, product.parts(), bias, add, byRows, scratch);
        int part = product.parts() * w / workers;
        int nextPart = product.parts() * (w + 1) / workers;
        product.run(x, 0, rows, part, nextPart, bias, add, byParts, scratch);
      }
      for (int at = 0; at < before.length; at++) {
        before[at] = (add ? before[at] : 0) + (bias == null ? 0 : bias[at % outputs]);
      }
      check(what + ", by rows", matrix, x, rows, before, byRows);
      check(what + ", by outputs", matrix, x, rows, before, byParts);
    }
  }

  /** The product of a type is that of its expansion, for one, few and many rows. */
  @ParameterizedTest
  @EnumSource(TensorType.class)
  void everyTypeIsTheProductOfItsExpansion(TensorType type) {
    Forms.assumeVectorApi();
    long seed = System.nanoTime();
    Random random = new Random(seed);
    for (int rows : new int[] {1, 2, 3, 5, 6, 13}) {
      int inputs =
          type.blockElements() * (1 + random.nextInt(4)) + (type.blockElements() == 1 ? 5 : 0);
      int outputs = 1 + random.nextInt(150);
      PanelMatrix matrix = RandomPanels.of(random, inputs, new TensorType[] {type}, outputs);
      Product product = product("vector", matrix);
      float[] x = random(random, rows * inputs);
      for (boolean add : new boolean[] {false, true}) {
        float[] before = random(random, rows * outputs);
        float[] out = before.clone();
        product.run(x, 0, rows, 0, product.parts(), null, add, out, new ProductScratch());
        String what = "seed %d: %d x %d x %d".formatted(seed, rows, inputs, outputs);
        check(what, matrix, x, rows, add ? before : new float[before.length], out);
      }
    }
  }

  /** Expansion by vectors gives each bit of expansion by the file format's own reader. */
  @ParameterizedTest
  @EnumSource(
      value = TensorType.class,
      mode = EnumSource.Mode.EXCLUDE,
      names = {"F32"})
  void expansionIsExact(TensorType type) {
    Forms.assumeVectorApi();
    long seed = System.nanoTime();
    Random random = new Random(seed);
    int inputs = 512;
    PanelMatrix matrix = RandomPanels.of(random, inputs, new TensorType[] {type}, 100);
    Panels panels = matrix.panels().get(0);
    float[] row = new float[inputs];
    ProductScratch scratch = new ProductScratch();
    for (int panel = 0; panel < panels.count(); panel++) {
      for (int from = 0; from < inputs; from += ProductScratch.DEPTH) {
        VectorPanelExpander.expand(panels, panel, from, ProductScratch.DEPTH, scratch);
        for (int lane = 0; lane < panels.outputsOf(panel); lane++) {
          matrix.row(panel * Panels.WIDTH + lane, row, 0);
          for (int i = 0; i < ProductScratch.DEPTH; i++) {
            assertEquals(
                Float.floatToIntBits(row[from + i]),
                Float.floatToIntBits(scratch.weights[i * Panels.WIDTH + lane]),
                "seed " + seed + ", panel " + panel + ", lane " + lane + ", input " + (from + i));
          }
        }
      }
    }
  }

  /** Parts of a joint projection may be stored in different types. */
  @ParameterizedTest
  @CsvSource({"1", "7"})
  void typesMayStandSideBySide(int rows) {
    Forms.assumeVectorApi();
    Random random = new Random(rows);
    TensorType[] types = {TensorType.Q4_K, TensorType.Q6_K, TensorType.F16, TensorType.F32};
    PanelMatrix matrix = RandomPanels.of(random, 256, types, 70, 64, 3, 130);
    assertEquals(267, matrix.outputs());
    Product product = product("vector", matrix);
    float[] x = random(random, rows * 256);
    float[] out = new float[rows * 267];
    product.run(x, 0, rows, 0, product.parts(), null, false, out, new ProductScratch());
    check("mixed", matrix, x, rows, new float[rows * 267], out);
  }

  /** A row's result does not depend on the others: what is cached equals what is not. */
  @ParameterizedTest
  @ValueSource(ints = {1, 2, 5, 32})
  void rowsAreComputedAlikeInAnyCompany(int rows) {
    Forms.assumeVectorApi();
    Random random = new Random(rows);
    PanelMatrix matrix = RandomPanels.of(random, 300, new TensorType[] {TensorType.F32}, 100);
    Product product = product("vector", matrix);
    float[] x = random(random, 32 * 300);
    float[] all = new float[32 * 100];
    float[] some = new float[32 * 100];
    ProductScratch scratch = new ProductScratch();
    product.run(x, 0, 32, 0, product.parts(), null, false, all, scratch);
    for (int row = 0; row < 32; row += rows) {
      product.run(x, row, Math.min(32, row + rows), 0, product.parts(), null, false, some, scratch);
    }
    assertArrayEquals(all, some);
  }

  /** A vector that C2 keeps as an object would cost memory in every turn of a loop. */
  @ParameterizedTest
  @EnumSource(TensorType.class)
  void allocatesNothingOnceCompiled(TensorType type) {
    Forms.assumeVectorApi();
    Random random = new Random(1);
    int inputs = 512;
    PanelMatrix matrix = RandomPanels.of(random, inputs, new TensorType[] {type}, 128);
    Product product = product("vector", matrix);
    float[] x = random(random, 16 * inputs);
    float[] out = new float[16 * 128];
    ProductScratch scratch = new ProductScratch();
    ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    for (int rows : new int[] {1, 16}) {
      long least = Long.MAX_VALUE;
      for (int round = 0; round < 40 && least > 0; round++) {
        long before = threads.getThreadAllocatedBytes(Thread.currentThread().getId());
        for (int i = 0; i < 1000; i++) {
          product.run(x, 0, rows, 0, product.parts(), null, false, out, scratch);
        }
        long bytes = threads.getThreadAllocatedBytes(Thread.currentThread().getId()) - before;
        least = Math.min(least, Math.max(0, bytes - 10_000));
      }
      assertTrue(least == 0, least + " bytes in a thousand calls of " + rows + " rows");
    }
  }
}
