package kv4j.model.family;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Random;
import kv4j.model.ByteTokenizer;
import kv4j.model.DemoModels;
import kv4j.model.Model;
import kv4j.model.Positions;
import kv4j.model.TransformerConfig;
import kv4j.model.TransformerConfig.Block;
import kv4j.model.TransformerConfig.RopePairing;
import kv4j.model.TransformerWeights;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Spoilt files end in a one-sentence refusal, or load. */
class FamilyFuzzTest {
  private static final LoadOptions LIMITED = new LoadOptions(Integer.MAX_VALUE, 1 << 22);
  private static final List<String> TYPES = List.of("llama", "qwen2", "qwen3", "gpt2");

  private static final List<Object> ODD_VALUES =
      Collections.unmodifiableList(
          Arrays.asList(
              null,
              0,
              -1,
              1,
              3,
              7,
              Integer.MAX_VALUE,
              Long.MAX_VALUE,
              Long.MIN_VALUE,
              1e300,
              0.5,
              -0.0,
              Double.NaN,
              "",
              "linear",
              true,
              false,
              List.of(),
              List.of(1, 2),
              Map.of(),
              Map.of("rope_type", "llama3", "factor", -1),
              Map.of("rope_type", List.of())));

  @TempDir private Path folder;

  @Test
  void spoiltConfigs() {
    int loaded = 0;
    for (int seed = 0; seed < 1500; seed++) {
      Random random = new Random(seed);
      HuggingFaceFiles files = files(TYPES.get(seed % TYPES.size()));
      List<String> keys = new ArrayList<>(files.config.keySet());
      keys.addAll(
          List.of("rope_scaling", "rope_parameters", "layer_types", "architectures", "head_dim"));
      for (int i = 0; i <= random.nextInt(2); i++) {
        String key = keys.get(random.nextInt(keys.size()));
        files.config.put(key, ODD_VALUES.get(random.nextInt(ODD_VALUES.size())));
      }
      files.write(folder);
      loaded += loads(folder, seed) ? 1 : 0;
    }
    assertTrue(loaded > 50 && loaded < 1000, loaded + " loaded");
  }

  @Test
  void spoiltTensors() {
    for (int seed = 0; seed < 300; seed++) {
      Random random = new Random(seed);
      HuggingFaceFiles files = files(TYPES.get(seed % TYPES.size()));
      List<String> names = new ArrayList<>(files.tensors.keySet());
      String name = names.get(random.nextInt(names.size()));
      float[][] rows = files.tensors.remove(name);
      switch (random.nextInt(4)) {
        case 0 -> files.tensors.put(name + "x", rows);
        case 1 -> files.tensors.put(name, new float[1 + random.nextInt(9)][1 + rows[0].length]);
        case 2 -> files.tensors.put(names.get(random.nextInt(names.size())), rows);
        default -> {}
      }
      files.write(folder);
      loads(folder, seed);
    }
  }

  @Test
  void spoiltGguf() throws IOException {
    Path file = folder.resolve("model.gguf");
    for (int seed = 0; seed < 1500; seed++) {
      Random random = new Random(seed);
      String type = TYPES.get(seed % TYPES.size());
      ModelExport.gguf(
          Model.of(type, files(type).weights(), new ByteTokenizer(), ""), Map.of(), file);
      byte[] bytes = Files.readAllBytes(file);
      for (int i = 0; i <= random.nextInt(3); i++) {
        bytes[random.nextInt(2500)] = (byte) (random.nextBoolean() ? random.nextInt() : 0xff);
      }
      Files.write(file, bytes);
      loads(file, seed);
    }
  }

  private static boolean loads(Path path, int seed) {
    try {
      ModelLoader.load(path, LIMITED, (source, at) -> new ByteTokenizer(), LoadListener.NONE);
      return true;
    } catch (IllegalArgumentException e) {
      assertFalse(e.getMessage() == null || e.getMessage().contains("\n"), "seed " + seed);
      assertTrue(e.getMessage().startsWith(path.toString()), "seed " + seed + e.getMessage());
      return false;
    } catch (RuntimeException | Error e) {
      throw new AssertionError("seed " + seed, e);
    }
  }

  private static HuggingFaceFiles files(String type) {
    boolean gpt2 = type.equals("gpt2");
    Block block =
        Map.of("llama", Block.LLAMA, "qwen2", Block.QWEN2, "qwen3", Block.QWEN3, "gpt2", Block.GPT2)
            .get(type);
    Positions positions =
        gpt2
            ? new Positions.Learned()
            : new Positions.Rotary(1e4f, RopePairing.SPLIT, Positions.Scaling.NONE);
    TransformerConfig config =
        new TransformerConfig(1, 12, 3, gpt2 ? 3 : 1, 4, 7, 11, 16, 1e-5f, positions, block, true);
    TransformerWeights weights = DemoModels.randomWeights(config, 1);
    return new HuggingFaceFiles(type, weights);
  }
}
