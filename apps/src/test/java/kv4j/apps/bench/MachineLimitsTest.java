package kv4j.apps.bench;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Map;
import kv4j.model.ByteTokenizer;
import kv4j.model.DemoModels;
import kv4j.model.Model;
import kv4j.model.TransformerConfig;
import kv4j.model.format.block.TensorType;
import org.junit.jupiter.api.Test;

class MachineLimitsTest {
  /** A layer's weights: qkv 8 x 16, output 8 x 8, ffn 3 x 8 x 16, norms 2 x 8; embedding 10 x 8. */
  private static TransformerConfig config(boolean tied) {
    return new TransformerConfig(
        2, 8, 2, 1, 4, 16, 10, 100, 1e-5f, 1e4f, TransformerConfig.RopePairing.SPLIT, tied);
  }

  /** Of a model whose weights are plain arrays. */
  private static ReadWeights weights(boolean tied) {
    return ReadWeights.of(
        Model.of("small", DemoModels.randomWeights(config(tied), 1), new ByteTokenizer(), "bytes"));
  }

  private static final int WEIGHTS = 2 * (128 + 64 + 384 + 16) + 8 + 80;

  @Test
  void manyRowsAreLimitedByArithmetic() {
    // 50 rows that see 1, 2, .. 50 tokens; 16 multiplications for each token a row sees
    long operations = 2 * (2 * (50 * (128 + 64 + 384) + 16 * 1275) + 80);
    MachineLimits limits = new MachineLimits(2, "blas", 1000);
    assertEquals(
        operations / 2e6, limits.millis(config(false), weights(false), new Pass(0, 50)), 1e-12);
  }

  @Test
  void oneRowIsLimitedByReadingTheWeights() {
    MachineLimits limits = new MachineLimits(1000, "blas", 0.5);
    assertEquals(
        4 * WEIGHTS / 0.5e6, limits.millis(config(false), weights(false), new Pass(50, 1)), 1e-12);
    assertEquals(
        4 * WEIGHTS / 0.5e6,
        limits.millis(config(true), weights(true), new Pass(50, 1)),
        1e-12,
        "a tied embedding is read whole, as the output head");
  }

  /** Panels of 64 outputs, so that a layer has 64 of qkv's 16, 64 of 8, 64 of 32 and of 8. */
  @Test
  void weightsInPanelsCountAsTheyLieInMemory() {
    Model model = DemoModels.create("small", config(false), 1);
    int layer = 64 * (8 + 8 + 8 + 16) + 16;
    assertEquals(
        Map.of(TensorType.F32, 4L * (2 * layer + 8 + 64 * 8)), ReadWeights.of(model).bytes());
  }

  @Test
  void theBetterFigureOfEachCounts() {
    MachineLimits one = new MachineLimits(3, "vector", 5);
    MachineLimits other = new MachineLimits(2, "blas", 7);
    assertEquals(new MachineLimits(3, "vector", 7), one.or(other));
    assertEquals(one.or(other), other.or(one));
    assertThrows(IllegalArgumentException.class, () -> new MachineLimits(0, "blas", 1));
  }

  /** Wide bounds that only a wrong unit or a loop optimized away would miss. */
  @Test
  void whatIsMeasuredIsPossible() {
    MachineLimits limits = MachineLimits.measure(1, 1 << 24);
    assertTrue(limits.gigaflops() > 0.1 && limits.gigaflops() < 2000, limits.toString());
    double bandwidth = limits.gigabytesPerSecond();
    assertTrue(bandwidth > 0.05 && bandwidth < 2000, limits.toString());
  }
}
