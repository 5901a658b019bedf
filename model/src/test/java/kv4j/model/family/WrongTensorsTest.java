package kv4j.model.family;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import kv4j.model.ByteTokenizer;
import kv4j.model.DemoModels;
import kv4j.model.Model;
import kv4j.model.Positions;
import kv4j.model.TransformerConfig;
import kv4j.model.TransformerConfig.Block;
import kv4j.model.TransformerConfig.RopePairing;
import kv4j.model.TransformerWeights;
import kv4j.model.format.GgufWriter;
import kv4j.model.format.ModelFiles;
import kv4j.model.format.TensorSource;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A tensor that is missing or wrong is named, with what it should be and what it is. */
class WrongTensorsTest {
  private static final TransformerConfig CONFIG =
      new TransformerConfig(2, 48, 6, 2, 8, 70, 90, 32, 1e-5f, 1e4f, RopePairing.ADJACENT, false);
  private static final TransformerWeights WEIGHTS = DemoModels.randomWeights(CONFIG, 1);

  @TempDir private Path folder;
  private Path sound;
  private Path spoilt;

  @BeforeEach
  void write() {
    sound = folder.resolve("sound.gguf");
    spoilt = folder.resolve("spoilt.gguf");
    ModelExport.gguf(Model.of("sound", WEIGHTS, new ByteTokenizer(), ""), Map.of(), sound);
  }

  @Test
  void everyMissingTensorIsNamed() {
    try (TensorSource source = ModelFiles.open(sound)) {
      for (String name : source.tensorNames()) {
        if (!name.equals(GgufConfig.EMBEDDING) && !name.equals(GgufConfig.OUTPUT)) {
          GgufWriter.write(new Spoilt(source, name, null, null), spoilt);
          assertRefused("tensor " + name + " of shape " + shape(source, name) + " is missing");
        }
      }
    }
  }

  @Test
  void everyTensorOfAnotherShapeIsNamedWithBoth() {
    try (TensorSource source = ModelFiles.open(sound)) {
      for (String name : source.tensorNames()) {
        if (!name.equals(GgufConfig.EMBEDDING)) {
          GgufWriter.write(new Spoilt(source, name, new long[] {3, 5}, null), spoilt);
          assertRefused(
              "tensor " + name + " must have shape " + shape(source, name) + ", not [3, 5]");
        }
      }
    }
  }

  /** Tensors that llama.cpp computes with where a file has them, in some or all families. */
  @Test
  void everyTensorThatNoWeightIsMadeOfIsNamed() {
    for (String type : List.of("llama", "qwen2", "gpt2")) {
      Path file = folder.resolve(type + ".gguf");
      boolean gpt2 = type.equals("gpt2");
      TransformerConfig config =
          new TransformerConfig(
              1,
              48,
              6,
              6,
              8,
              70,
              90,
              32,
              1e-5f,
              gpt2 ? new Positions.Learned() : CONFIG.positions(),
              gpt2 ? Block.GPT2 : type.equals("qwen2") ? Block.QWEN2 : Block.LLAMA,
              gpt2);
      Model model = Model.of(type, DemoModels.randomWeights(config, 1), new ByteTokenizer(), "");
      ModelExport.gguf(model, Map.of(), file);
      List<String> names =
          new ArrayList<>(
              List.of(
                  "blk.0.attn_q.scale",
                  "blk.0.ffn_up.scale",
                  "blk.0.attn_q_norm.weight",
                  "blk.0.attn_sinks.weight",
                  "blk.0.layer_output_scale.weight",
                  "blk.0.ffn_gate_inp.weight",
                  "blk.1.attn_norm.weight",
                  "output.bias",
                  "output.scale",
                  "token_embd_norm.weight",
                  "rope_factors_long.weight",
                  "rope_factors_short.weight",
                  "cls.output.weight"));
      if (type.equals("llama")) {
        names.addAll(List.of("blk.0.attn_q.bias", "blk.0.attn_output.bias", "blk.0.ffn_up.bias"));
      } else {
        names.add("rope_freqs.weight");
      }
      try (TensorSource source = ModelFiles.open(file)) {
        for (String name : names) {
          GgufWriter.write(new Spoilt(source, name, new long[] {4}, null), spoilt);
          assertRefused("tensor " + name + " is none that models of this architecture have");
        }
      }
    }
  }

  /** Whichever of the processors comes upon one first, and wherever in the tensors they are. */
  @Test
  void theFirstTensorThatHasNoFiniteNumbersIsNamed() {
    try (TensorSource source = ModelFiles.open(sound)) {
      List<String> names = List.copyOf(source.tensorNames());
      float[] odd = {Float.NaN, Float.POSITIVE_INFINITY, Float.NEGATIVE_INFINITY};
      for (int seed = 0; seed < 1000; seed++) {
        Random random = new Random(seed);
        int first = random.nextInt(names.size());
        float value = odd[random.nextInt(odd.length)];
        TensorSource once = new Spoilt(source, names.get(first), null, spot(value, random));
        String later = names.get(first + random.nextInt(names.size() - first));
        boolean twice = !later.equals(names.get(first));
        TensorSource both = twice ? new Spoilt(once, later, null, spot(odd[0], random)) : once;
        GgufWriter.write(both, spoilt);
        assertRefused("tensor " + names.get(first) + " holds " + value);
      }
    }
  }

  private static FloatSpoiler spot(float value, Random random) {
    return values -> values.put(random.nextInt(values.capacity()), value);
  }

  /** By the name that the file's format has for the type, and no other tensor's. */
  @Test
  void aTensorOfATypeThatIsNoWeightsIsNamed() throws IOException {
    HuggingFaceFiles files = new HuggingFaceFiles("llama", WEIGHTS);
    for (String type : List.of("I32", "U32", "BOOL", "F64", "F8_E4M3")) {
      files.write(folder);
      Path file = folder.resolve("model.safetensors");
      String text = Files.readString(file, StandardCharsets.ISO_8859_1);
      String name = "model.layers.1.mlp.up_proj.weight";
      int at = text.indexOf("F32", text.indexOf(name));
      String header = text.substring(8, at) + type + text.substring(at + 3);
      byte[] bytes = header.getBytes(StandardCharsets.ISO_8859_1);
      ByteBuffer all = ByteBuffer.allocate(8 + bytes.length).order(ByteOrder.LITTLE_ENDIAN);
      long length = text.getBytes(StandardCharsets.ISO_8859_1)[0] & 0xFF;
      length |= (long) (text.charAt(1)) << 8 | (long) text.charAt(2) << 16;
      all.putLong(length + type.length() - 3).put(bytes);
      Files.write(file, all.array());
      String message =
          assertThrows(IllegalArgumentException.class, () -> load(folder)).getMessage();
      assertEquals(folder + ": tensor " + name + " has the unsupported type " + type, message);
    }
  }

  /** Indices that lead to themselves, to one another, or round in a circle of links. */
  @Test
  void indicesThatLeadInCirclesAreRefused() throws IOException {
    HuggingFaceFiles files = new HuggingFaceFiles("llama", WEIGHTS);
    files.write(folder);
    Path index = folder.resolve("model.safetensors.index.json");
    Path single = folder.resolve("model.safetensors");
    Files.delete(single);
    List<String> circles =
        List.of("model.safetensors.index.json", "a.safetensors", "b.safetensors");
    Files.createSymbolicLink(folder.resolve("a.safetensors"), folder.resolve("b.safetensors"));
    Files.createSymbolicLink(folder.resolve("b.safetensors"), folder.resolve("a.safetensors"));
    for (String circle : circles) {
      Files.writeString(index, "{\"weight_map\":{\"model.norm.weight\":\"" + circle + "\"}}");
      String message =
          assertThrows(IllegalArgumentException.class, () -> load(folder)).getMessage();
      assertTrue(message.contains(circle), message);
    }
    Files.writeString(index, "{\"weight_map\":{\"model.norm.weight\":\"c.safetensors\"}}");
    Files.createSymbolicLink(folder.resolve("c.safetensors"), index);
    String message = assertThrows(IllegalArgumentException.class, () -> load(folder)).getMessage();
    assertTrue(message.startsWith(folder.resolve("c.safetensors").toString()), message);
  }

  private static String shape(TensorSource source, String name) {
    return Arrays.toString(source.shape(name));
  }

  private void assertRefused(String reason) {
    String message = assertThrows(IllegalArgumentException.class, () -> load(spoilt)).getMessage();
    assertTrue(message.startsWith(spoilt + ": " + reason), message + " instead of " + reason);
  }

  private static Model load(Path path) {
    return ModelLoader.load(
        path, LoadOptions.ALL, (source, file) -> new ByteTokenizer(), LoadListener.NONE);
  }

  /** Changes a tensor's values. */
  private interface FloatSpoiler {
    void spoil(FloatBuffer values);
  }

  /**
   * A source but for one tensor.
   *
   * @param other another shape of it, filled with zeros, which it need not have had before; null if
   *     it keeps its own
   * @param spoiler changes its values; if this and the shape are null, the tensor is missing
   */
  private record Spoilt(TensorSource source, String name, long[] other, FloatSpoiler spoiler)
      implements TensorSource {
    @Override
    public String format() {
      return source.format();
    }

    @Override
    public String origin() {
      return source.origin();
    }

    @Override
    public Map<String, Object> metadata() {
      return source.metadata();
    }

    @Override
    public Set<String> tensorNames() {
      List<String> names = new ArrayList<>(source.tensorNames());
      if (other == null && spoiler == null) {
        names.remove(name);
      }
      Set<String> all = new LinkedHashSet<>(names);
      if (other != null) {
        all.add(name);
      }
      return all;
    }

    @Override
    public long[] shape(String tensor) {
      return tensor.equals(name) && other != null ? other : source.shape(tensor);
    }

    @Override
    public String dtype(String tensor) {
      return tensor.equals(name) && other != null ? "F32" : source.dtype(tensor);
    }

    @Override
    public void readRows(String tensor, long firstRow, FloatBuffer out) {
      if (tensor.equals(name) && other != null) {
        out.put(new float[out.remaining()]);
      } else if (tensor.equals(name)) {
        FloatBuffer values = FloatBuffer.allocate(out.remaining());
        source.readRows(tensor, firstRow, values);
        spoiler.spoil(values.clear());
        out.put(values.clear());
      } else {
        source.readRows(tensor, firstRow, out);
      }
    }

    @Override
    public void close() {}
  }
}
