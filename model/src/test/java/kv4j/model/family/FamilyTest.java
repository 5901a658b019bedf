package kv4j.model.family;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.function.Consumer;
import kv4j.model.ByteTokenizer;
import kv4j.model.DemoModels;
import kv4j.model.Model;
import kv4j.model.Positions;
import kv4j.model.StockSession;
import kv4j.model.TransformerConfig;
import kv4j.model.TransformerConfig.Block;
import kv4j.model.TransformerConfig.RopePairing;
import kv4j.model.TransformerWeights;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.nd4j.linalg.api.ndarray.INDArray;

class FamilyTest {
  private static final Map<String, Block> BLOCKS =
      Map.of(
          "llama", Block.LLAMA,
          "mistral", Block.LLAMA,
          "qwen2", Block.QWEN2,
          "qwen3", Block.QWEN3,
          "gpt2", Block.GPT2);

  @TempDir private Path folder;

  /** What is read from a Hugging Face folder computes what its weights do as they stand there. */
  @Test
  void huggingFaceFoldersOfEveryFamilyLoad() {
    for (int seed = 0; seed < 15; seed++) {
      Random random = new Random(seed);
      String type = List.of("llama", "mistral", "qwen2", "qwen3", "gpt2").get(seed % 5);
      TransformerWeights weights = randomWeights(type, random);
      Path path = folder.resolve(type + seed);
      new HuggingFaceFiles(type, weights).write(path);
      Model loaded = load(path);
      assertEquals(weights.config().block(), loaded.config().block());
      assertLogits(weights, loaded, random, 1e-4f, "seed " + seed + ", " + weights.config());
    }
  }

  /** Exported and loaded again, every family gives the same logits to the last bit. */
  @Test
  void ggufOfEveryFamilyGivesIdenticalLogits() {
    for (int seed = 0; seed < 15; seed++) {
      Random random = new Random(seed);
      String type = List.of("llama", "mistral", "qwen2", "qwen3", "gpt2").get(seed % 5);
      TransformerWeights weights = randomWeights(type, random);
      Path path = folder.resolve(type + seed);
      new HuggingFaceFiles(type, weights).write(path);
      Model loaded = load(path);
      Path gguf = folder.resolve(type + seed + ".gguf");
      ModelExport.gguf(loaded, Map.of(), gguf);
      Model again = load(gguf);
      assertEquals(loaded.config(), again.config());
      assertIdentical(loaded, again, random, "seed " + seed);

      // Directly, with pairs in another order than GGUF has them.
      ModelExport.gguf(Model.of("direct", weights, new ByteTokenizer(), ""), Map.of(), gguf);
      assertIdentical(loaded, load(gguf), random, "directly, seed " + seed);
    }
  }

  @Test
  void llama3ScalingIsReadFromBothFormats() {
    Random random = new Random(3);
    Positions scaled =
        new Positions.Rotary(
            500_000, RopePairing.SPLIT, Positions.llama3(500_000, 16, 8, 1, 4, 64));
    TransformerConfig config =
        new TransformerConfig(2, 24, 4, 2, 16, 40, 50, 128, 1e-5f, scaled, Block.LLAMA, true);
    TransformerWeights weights = DemoModels.randomWeights(config, 3);
    HuggingFaceFiles files = new HuggingFaceFiles("llama", weights);
    Map<String, Object> scaling = new HashMap<>();
    scaling.put("rope_type", "llama3");
    scaling.put("factor", 8.0);
    scaling.put("low_freq_factor", 1.0);
    scaling.put("high_freq_factor", 4.0);
    scaling.put("original_max_position_embeddings", 64);
    files.config.put("rope_scaling", scaling);
    files.write(folder);
    Model loaded = load(folder);
    assertLogits(weights, loaded, random, 1e-4f, "llama3");
    Path gguf = folder.resolve("scaled.gguf");
    ModelExport.gguf(loaded, Map.of(), gguf);
    assertIdentical(loaded, load(gguf), random, "llama3");
  }

  @Test
  void linearScalingIsReadFromBothFormats() {
    Random random = new Random(4);
    Positions scaled = new Positions.Rotary(1e4f, RopePairing.SPLIT, new Positions.Linear(2.5f));
    TransformerConfig config =
        new TransformerConfig(1, 24, 4, 2, 16, 40, 50, 64, 1e-5f, scaled, Block.QWEN2, false);
    TransformerWeights weights = DemoModels.randomWeights(config, 4);
    HuggingFaceFiles files = new HuggingFaceFiles("qwen2", weights);
    files.config.put("rope_scaling", Map.of("type", "linear", "factor", 2.5));
    files.write(folder);
    Model loaded = load(folder);
    assertEquals(config, loaded.config());
    Path gguf = folder.resolve("scaled.gguf");
    ModelExport.gguf(loaded, Map.of(), gguf);
    assertEquals(config, load(gguf).config());
    assertLogits(weights, load(gguf), random, 1e-4f, "linear");
  }

  @Test
  void contextCanBeLimited() {
    TransformerWeights weights = randomWeights("gpt2", new Random(1));
    new HuggingFaceFiles("gpt2", weights).write(folder);
    Model small = load(folder, new LoadOptions(9, Long.MAX_VALUE));
    assertEquals(9, small.config().context());
    assertLogits(weights, small, new Random(2), 1e-4f, "short");
  }

  @Test
  void modelsThatDoNotFitAreRefusedWithTheFigure() {
    TransformerConfig config =
        new TransformerConfig(
            2, 256, 4, 2, 16, 1000, 1000, 64, 1e-5f, 1e4f, RopePairing.SPLIT, false);
    new HuggingFaceFiles("llama", DemoModels.randomWeights(config, 1)).write(folder);
    ModelInfo info = ModelLoader.inspect(folder, LoadOptions.ALL);
    // Outputs are in panels of 64: 1,000 make 1,024, and 32 keys or values 64.
    long padding = 256L * (2 * 24 + 2 * (2 * 24 + 2 * 32));
    assertEquals((config.parameters() + padding) * 4, info.weightBytes());
    long constants = 64 * 16 + 8 * 6 * 16 + 16 * 16; // of rotary positions, in the graph
    long tables = 64 * 16; // once more in the engine
    long columns = 2 * 256 + 4 * 16 + 8 * 16 + 2 * 1000 + 1000;
    long heads = (4 + 2 + 2) * 16;
    assertEquals(
        info.weightBytes() + 4 * (constants + tables + 512 * (columns + heads) + 1000),
        info.bytes());
    LoadOptions exact = new LoadOptions(64, info.bytes());
    assertEquals(64, load(folder, exact).config().context());
    LoadOptions little = new LoadOptions(64, info.bytes() - 1);
    String message =
        assertThrows(IllegalArgumentException.class, () -> load(folder, little)).getMessage();
    long megabytes = (info.bytes() + (1 << 20) - 1) >> 20;
    assertTrue(message.contains("needs " + megabytes + " MB"), message);
  }

  @Test
  void progressEndsWithAllBytes() {
    new HuggingFaceFiles("llama", randomWeights("llama", new Random(1))).write(folder);
    List<Long> progress = new ArrayList<>();
    LoadListener listener =
        new LoadListener() {
          @Override
          public void started(ModelInfo info) {
            progress.add(info.weightBytes());
          }

          @Override
          public void progressed(long bytes) {
            progress.add(bytes);
          }
        };
    ModelLoader.load(folder, LoadOptions.ALL, (source, path) -> new ByteTokenizer(), listener);
    assertEquals(progress.get(0), progress.get(progress.size() - 1));
    assertEquals(
        progress.subList(1, progress.size()).stream().sorted().toList(),
        progress.subList(1, progress.size()));
  }

  @Test
  void whatIsWrongIsNamed() {
    assertRefused("llama", f -> f.config.put("model_type", "mamba"), "mamba", "llama, mistral");
    assertRefused("llama", f -> f.config.remove("model_type"), "does not say", "gpt2");
    assertRefused("llama", f -> f.config.remove("hidden_size"), "hidden_size is missing");
    assertRefused("llama", f -> f.config.put("hidden_size", -3), "hidden_size", "-3");
    assertRefused("llama", f -> f.config.put("hidden_size", "x"), "hidden_size", "whole number");
    assertRefused("llama", f -> f.config.put("num_hidden_layers", 2_000_000_000), "layers");
    assertRefused("llama", f -> f.config.put("max_position_embeddings", 2_000_000_000), "context");
    assertRefused("llama", f -> f.config.put("num_key_value_heads", 1_999), "share");
    assertRefused("llama", f -> f.config.put("hidden_act", "gelu"), "hidden_act", "silu");
    assertRefused("llama", f -> f.config.put("attention_bias", true), "attention_bias");
    assertRefused(
        "llama", f -> f.config.put("rope_scaling", Map.of("type", "yarn")), "rope scaling");
    assertRefused("mistral", f -> f.config.put("sliding_window", 5), "sliding window of 5 tokens");
    assertRefused(
        "qwen2",
        f -> {
          f.config.put("use_sliding_window", true);
          f.config.put("max_window_layers", 0);
          f.config.put("sliding_window", 5);
        },
        "sliding window of 5 tokens");
    assertRefused(
        "qwen3",
        f -> f.tensors.remove("model.layers.0.self_attn.k_norm.weight"),
        "model.layers.0.self_attn.k_norm.weight of shape [",
        "missing");
    assertRefused(
        "gpt2",
        f -> f.tensors.put("h.0.mlp.c_fc.weight", new float[2][3]),
        "tensor h.0.mlp.c_fc.weight must have shape [",
        "not [2, 3]");
    assertRefused("llama", f -> f.tensors.put("extra.weight", new float[1][1]), "extra.weight");
    assertRefused(
        "llama",
        f -> f.tensors.get("model.norm.weight")[0][2] = Float.NaN,
        "model.norm.weight holds NaN");
    assertRefused(
        "qwen2",
        f -> f.tensors.get("model.layers.0.mlp.up_proj.weight")[1][2] = Float.NEGATIVE_INFINITY,
        "up_proj.weight holds -Infinity");
  }

  /** A window as long as the context is none. */
  @Test
  void aWindowThatIsLongEnoughIsNoObstacle() {
    TransformerWeights weights = randomWeights("mistral", new Random(1));
    HuggingFaceFiles files = new HuggingFaceFiles("mistral", weights);
    files.config.put("sliding_window", 12);
    files.write(folder);
    assertEquals(12, load(folder, new LoadOptions(12, Long.MAX_VALUE)).config().context());
  }

  private void assertRefused(String type, Consumer<HuggingFaceFiles> spoil, String... parts) {
    HuggingFaceFiles files = new HuggingFaceFiles(type, randomWeights(type, new Random(7)));
    spoil.accept(files);
    files.write(folder);
    String message = assertThrows(IllegalArgumentException.class, () -> load(folder)).getMessage();
    for (String part : parts) {
      assertTrue(message.contains(part), message);
    }
    assertTrue(message.startsWith(folder.toString()), message);
  }

  private static Model load(Path path) {
    return load(path, LoadOptions.ALL);
  }

  private static Model load(Path path, LoadOptions options) {
    return ModelLoader.load(
        path, options, (source, file) -> new ByteTokenizer(), LoadListener.NONE);
  }

  private static TransformerWeights randomWeights(String type, Random random) {
    Block block = BLOCKS.get(type);
    boolean gpt2 = type.equals("gpt2");
    int kvHeads = 1 + random.nextInt(3);
    int heads = gpt2 ? kvHeads : kvHeads * (1 + random.nextInt(3));
    int headDim = 2 * (1 + random.nextInt(40));
    TransformerConfig config =
        new TransformerConfig(
            1 + random.nextInt(3),
            gpt2 ? heads * headDim : 3 + random.nextInt(60),
            heads,
            gpt2 ? heads : kvHeads,
            headDim,
            1 + random.nextInt(90),
            20 + random.nextInt(100),
            20 + random.nextInt(20),
            random.nextBoolean() ? 1e-5f : 1e-6f,
            gpt2
                ? new Positions.Learned()
                : new Positions.Rotary(1e4f, RopePairing.SPLIT, Positions.Scaling.NONE),
            block,
            gpt2 || random.nextBoolean());
    TransformerWeights weights = DemoModels.randomWeights(config, random.nextLong());
    weights
        .arrays()
        .forEach(
            (name, array) -> {
              if (name.endsWith("/gain")) {
                randomGains(array, random, name.contains("head_norm") ? config.heads() : 0);
              }
            });
    return weights;
  }

  /**
   * @param equalRows so many rows are equal, and those after them; 0 for a vector
   */
  private static void randomGains(INDArray array, Random random, int equalRows) {
    int columns = (int) array.size(array.rank() - 1);
    for (int i = 0; i < array.length(); i++) {
      int row = i / columns;
      boolean first = row == 0 || row == equalRows;
      float value = first ? 0.5f + random.nextFloat() : array.data().getFloat(i - columns);
      array.data().put(i, value);
    }
  }

  private static int[] tokens(Random random, TransformerConfig config) {
    return random.ints(Math.min(config.context(), 19), 0, config.vocabulary()).toArray();
  }

  private static void assertLogits(
      TransformerWeights expected, Model actual, Random random, float tolerance, String what) {
    int[] tokens = tokens(random, actual.config());
    Model whole = Model.of("expected", expected, new ByteTokenizer(), "");
    float[][] logits = StockSession.logits(whole.graph(), tokens);
    float[][] loaded = StockSession.logits(actual.graph(), tokens);
    for (int t = 0; t < tokens.length; t++) {
      for (int v = 0; v < logits[t].length; v++) {
        float scale = Math.max(1, Math.abs(logits[t][v]));
        assertEquals(logits[t][v], loaded[t][v], tolerance * scale, what);
      }
    }
  }

  private static void assertIdentical(Model one, Model other, Random random, String what) {
    int[] tokens = tokens(random, one.config());
    float[][] expected = StockSession.logits(one.graph(), tokens);
    float[][] actual = StockSession.logits(other.graph(), tokens);
    for (int t = 0; t < tokens.length; t++) {
      assertArrayEquals(expected[t], actual[t], what + ", token " + t);
    }
  }
}
