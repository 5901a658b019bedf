package kv4j.model.family;

import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import kv4j.model.ByteTokenizer;
import kv4j.model.Model;
import kv4j.model.Positions;
import kv4j.model.TransformerConfig;
import kv4j.model.TransformerConfig.Block;
import kv4j.model.TransformerConfig.RopePairing;

/** Models of every family, small enough to be written and loaded by the dozen. */
final class SmallModels {
  private SmallModels() {}

  static TransformerConfig shape(String type, boolean tied) {
    boolean gpt2 = type.equals("gpt2");
    return new TransformerConfig(
        2,
        24,
        4,
        gpt2 ? 4 : 2,
        6,
        40,
        50,
        32,
        1e-5f,
        gpt2
            ? new Positions.Learned()
            : new Positions.Rotary(1e4f, RopePairing.SPLIT, Positions.Scaling.NONE),
        switch (type) {
          case "gpt2" -> Block.GPT2;
          case "qwen2" -> Block.QWEN2;
          case "qwen3" -> Block.QWEN3;
          default -> Block.LLAMA;
        },
        tied);
  }

  static Model load(Path path) {
    return ModelLoader.load(
        path, LoadOptions.ALL, (source, file) -> new ByteTokenizer(), LoadListener.NONE);
  }

  static void assertRefused(Path path, String... parts) {
    String message = assertThrows(IllegalArgumentException.class, () -> load(path)).getMessage();
    for (String part : parts) {
      assertTrue(message.contains(part), message);
    }
    assertTrue(message.startsWith(path.toString()), message);
  }
}
