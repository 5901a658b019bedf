package kv4j.model.family;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import kv4j.model.ByteTokenizer;
import kv4j.model.DemoModels;
import kv4j.model.GraphNames;
import kv4j.model.Model;
import kv4j.model.Positions;
import kv4j.model.TransformerConfig;
import kv4j.model.TransformerConfig.RopePairing;
import kv4j.model.TransformerWeights;
import kv4j.model.format.ModelFiles;
import kv4j.model.format.TensorSource;
import kv4j.model.format.WeightType;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.nd4j.linalg.api.ndarray.INDArray;

/** Models of every family, exported in every type, are loaded with nearly the same weights. */
class ExportTypeTest {
  /** As llama.cpp turns a Llama's pairs, so that weights keep their order. */
  private static final Positions GGUF_LLAMA =
      new Positions.Rotary(1e4f, RopePairing.ADJACENT, Positions.Scaling.NONE);

  @TempDir private Path folder;

  /** Rows of 64 and 96 elements, but 40 into the last projection of a layer. */
  private static Model model(String family) {
    TransformerConfig small = SmallModels.shape(family, family.equals("gpt2"));
    TransformerConfig config =
        new TransformerConfig(
            2,
            64,
            6,
            small.kvHeads() == small.heads() ? 6 : 3,
            16,
            40,
            50,
            32,
            small.normEpsilon(),
            family.equals("llama") ? GGUF_LLAMA : small.positions(),
            small.block(),
            small.tiedOutput());
    return Model.of(family, DemoModels.randomWeights(config, 5), new ByteTokenizer(), "");
  }

  @ParameterizedTest
  @EnumSource(WeightType.class)
  void weightsAreThoseOfTheModelButForRounding(WeightType type) {
    for (String family : List.of("llama", "qwen2", "qwen3", "gpt2")) {
      Model model = model(family);
      Path file = folder.resolve(family + ".gguf");
      ModelExport.gguf(model, Map.of(), type, file);
      Model loaded = SmallModels.load(file);
      assertEquals(model.config(), loaded.config());
      for (String name : TransformerWeights.shapes(model.config()).keySet()) {
        INDArray expected = model.graph().getArrForVarName(name);
        INDArray actual = loaded.graph().getArrForVarName(name);
        double largest = expected.amaxNumber().doubleValue();
        double step = name.equals(GraphNames.POSITION_EMBEDDING) ? 0 : share(type);
        double off = expected.sub(actual).amaxNumber().doubleValue();
        assertTrue(off <= step * largest, family + " " + name + " is off by " + off / largest);
      }
      Set<String> dtypes = new HashSet<>();
      try (TensorSource source = ModelFiles.open(file)) {
        source.tensorNames().forEach(tensor -> dtypes.add(source.dtype(tensor)));
        assertEquals("F32", source.dtype("blk.0.attn_norm.weight"));
        assertEquals(
            type.isQuantized() ? "F16" : type.name(), source.dtype("blk.0.ffn_down.weight"));
        assertEquals(type.name(), source.dtype("blk.1.ffn_up.weight"));
        assertEquals(type.name(), source.dtype("token_embd.weight"));
      }
      assertEquals(
          type == WeightType.F32
              ? Set.of("F32")
              : type.isQuantized() ? Set.of("F32", "F16", type.name()) : Set.of("F32", "F16"),
          dtypes);
    }
  }

  /** The most that a weight may be off, of the largest: half a step, or one at Q4_0's short end. */
  private static double share(WeightType type) {
    return switch (type) {
      case F32 -> 0;
      case F16 -> 0x1p-11;
      case Q8_0 -> 0.5 / 127 + 0x1p-11;
      case Q4_0 -> 1.0 / 8 + 0x1p-11;
    };
  }

  @ParameterizedTest
  @EnumSource(WeightType.class)
  void aWeightThatIsNoNumberIsRefusedInEveryType(WeightType type) {
    Model model = model("llama");
    String norm = GraphNames.FINAL_NORM_GAIN;
    model.graph().getArrForVarName(norm).putScalar(3, Float.NaN);
    assertEquals(
        "tensor output_norm.weight holds a weight that is no finite number",
        assertThrows(
                IllegalArgumentException.class,
                () -> ModelExport.gguf(model, Map.of(), type, folder.resolve("nan.gguf")))
            .getMessage());
  }

  /** What is rounded already stays as it is. */
  @Test
  void f16ExportedAgainIsTheSame() {
    Path first = folder.resolve("first.gguf");
    ModelExport.gguf(model("llama"), Map.of(), WeightType.F16, first);
    Path second = folder.resolve("second.gguf");
    Model loaded = SmallModels.load(first);
    ModelExport.gguf(loaded, Map.of(), WeightType.F16, second);
    Model again = SmallModels.load(second);
    for (String name : TransformerWeights.shapes(loaded.config()).keySet()) {
      assertEquals(
          loaded.graph().getArrForVarName(name), again.graph().getArrForVarName(name), name);
    }
  }
}
