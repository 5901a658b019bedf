package kv4j.model;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import kv4j.model.TransformerConfig.RopePairing;
import org.junit.jupiter.api.Test;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

class TransformerWeightsTest {
  private static final TransformerConfig CONFIG = config(4, 2, 6, false);

  @Test
  void parametersIsTheNumberOfWeights() {
    for (boolean tied : new boolean[] {false, true}) {
      TransformerConfig config = config(6, 3, 4, tied);
      TransformerWeights weights = DemoModels.randomWeights(config, 1);
      long sum = weights.arrays().values().stream().mapToLong(INDArray::length).sum();
      assertEquals(config.parameters(), sum);
    }
    assertEquals(23_741_696, ModelPreset.S.config().parameters());
  }

  @Test
  void namesAMissingWeightAndItsShape() {
    Map<String, INDArray> arrays = arrays();
    arrays.remove("layer_1/ffn/down/weight");
    String message = failure(arrays);
    assertTrue(message.contains("layer_1/ffn/down/weight"), message);
    assertTrue(message.contains("[9, 10]"), message);
  }

  @Test
  void namesAWrongShapeAndTheRightOne() {
    Map<String, INDArray> arrays = arrays();
    arrays.put("layer_0/attention/qkv/weight", Nd4j.zeros(DataType.FLOAT, 48, 10));
    String message = failure(arrays);
    assertTrue(message.contains("layer_0/attention/qkv/weight"), message);
    assertTrue(message.contains("[10, 48]"), message);
    assertTrue(message.contains("[48, 10]"), message);
  }

  @Test
  void namesAWeightThatTheModelHasNot() {
    Map<String, INDArray> arrays = arrays();
    arrays.put("layer_2/ffn/norm/gain", Nd4j.ones(DataType.FLOAT, 10));
    String message = failure(arrays);
    assertTrue(message.contains("layer_2/ffn/norm/gain"), message);
  }

  @Test
  void ordersAndPlainlyStoresWhatItIsGiven() {
    Map<String, INDArray> reversed = new LinkedHashMap<>();
    List<String> names = new ArrayList<>(arrays().keySet());
    Map<String, INDArray> arrays = arrays();
    for (int i = names.size() - 1; i >= 0; i--) {
      reversed.put(names.get(i), arrays.get(names.get(i)).castTo(DataType.DOUBLE).dup('f'));
    }
    TransformerWeights weights = new TransformerWeights(CONFIG, reversed);
    assertEquals(names, new ArrayList<>(weights.arrays().keySet()));
    weights
        .arrays()
        .forEach(
            (name, array) -> {
              assertEquals(DataType.FLOAT, array.dataType(), name);
              assertEquals('c', array.ordering(), name);
              assertEquals(arrays.get(name), array, name);
            });
  }

  private static String failure(Map<String, INDArray> arrays) {
    return assertThrows(
            IllegalArgumentException.class, () -> new TransformerWeights(CONFIG, arrays))
        .getMessage();
  }

  private static Map<String, INDArray> arrays() {
    return new LinkedHashMap<>(DemoModels.randomWeights(CONFIG, 3).arrays());
  }

  private static TransformerConfig config(int heads, int kvHeads, int headDim, boolean tied) {
    return new TransformerConfig(
        2, 10, heads, kvHeads, headDim, 9, 13, 16, 1e-5f, 1e4f, RopePairing.SPLIT, tied);
  }
}
