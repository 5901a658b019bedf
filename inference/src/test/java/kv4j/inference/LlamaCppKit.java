package kv4j.inference;

import static kv4j.inference.EngineTestKit.tolerance;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import de.kherud.llama.InferenceParameters;
import de.kherud.llama.LlamaModel;
import de.kherud.llama.LogLevel;
import de.kherud.llama.ModelParameters;
import de.kherud.llama.args.CacheType;
import de.kherud.llama.args.LogFormat;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import kv4j.model.ByteTokenizer;
import kv4j.model.DemoModels;
import kv4j.model.GraphNames;
import kv4j.model.Model;
import kv4j.model.TransformerConfig;
import kv4j.model.TransformerWeights;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * llama.cpp as a judge of random models. Its binding shows tokens as text only, so each token of
 * these models' vocabularies is one letter.
 */
final class LlamaCppKit {
  static final int VOCABULARY = 600;
  static final int SPECIAL = 3 + 256;
  static final int NEW_TOKENS = 64;

  private static final int FIRST_LETTER = 0x4e00;

  static {
    LlamaModel.setLogger(LogFormat.TEXT, (LogLevel level, String message) -> {});
  }

  private LlamaCppKit() {}

  static LlamaModel open(Path file) {
    return new LlamaModel(
        new ModelParameters()
            .setModel(file.toString())
            .setCtxSize(512)
            .setThreads(2)
            .setThreadsBatch(2)
            .setCacheTypeK(CacheType.F32)
            .setCacheTypeV(CacheType.F32)
            .skipWarmup()
            .disableLog());
  }

  /** Where two tokens are as likely but for rounding, either is right and the texts part. */
  static void assertSameTokens(GenerationResult ours, List<Integer> theirs, String what) {
    assertEquals(NEW_TOKENS, theirs.size(), what);
    for (int i = 0; i < NEW_TOKENS; i++) {
      int token = ours.tokens()[i];
      float[] logits = ours.logits()[i];
      if (token != theirs.get(i)) {
        double gap = logits[token] - logits[theirs.get(i)];
        assertTrue(gap < 2 * tolerance(logits), what + ": new token " + i + " differs, gap " + gap);
        return;
      }
    }
  }

  static InferenceParameters request(int[] prompt, int newTokens) {
    StringBuilder text = new StringBuilder();
    for (int token : prompt) {
      text.appendCodePoint(FIRST_LETTER + token);
    }
    return new InferenceParameters(text.toString())
        .setNPredict(newTokens)
        .setTemperature(0)
        .setIgnoreEos(true)
        .setCachePrompt(false);
  }

  static List<Integer> tokens(String text) {
    return text.codePoints().map(letter -> letter - FIRST_LETTER).boxed().toList();
  }

  /** Special tokens and bytes get no logits, so that they are never generated. */
  static Model model(String name, TransformerConfig config, SplittableRandom random) {
    TransformerWeights weights = DemoModels.randomWeights(config, random.nextLong());
    INDArray embedding = weights.get(GraphNames.TOKEN_EMBEDDING);
    for (int token = 0; token < SPECIAL; token++) {
      if (config.tiedOutput()) {
        embedding.getRow(token).assign(0);
      } else {
        weights.get(GraphNames.OUTPUT_WEIGHT).getColumn(token).assign(0);
      }
    }
    weights
        .arrays()
        .forEach(
            (weight, array) -> {
              int heads = weight.endsWith(GraphNames.HEAD_NORM_GAIN) ? config.heads() : 0;
              for (int row = 0; weight.endsWith("/gain") && row < rows(array); row++) {
                boolean repeats = row > 0 && row != heads;
                for (int i = 0; i < array.size(-1); i++) {
                  int at = row * (int) array.size(-1) + i;
                  float again = repeats ? array.data().getFloat(at - array.size(-1)) : 0;
                  array.data().put(at, repeats ? again : 0.8f + 0.4f * (float) random.nextDouble());
                }
              }
            });
    return Model.of(name, weights, new ByteTokenizer(), "letters");
  }

  private static long rows(INDArray array) {
    return array.length() / array.size(-1);
  }

  /** Three special tokens, bytes, and then letters, in the manner of SentencePiece. */
  static Map<String, Object> vocabulary() {
    List<String> texts = new ArrayList<>(List.of("<unk>", "<s>", "</s>"));
    List<Integer> types = new ArrayList<>(List.of(2, 3, 3));
    List<Float> scores = new ArrayList<>(List.of(0f, 0f, 0f));
    for (int value = 0; value < 256; value++) {
      texts.add(String.format("<0x%02X>", value));
      types.add(6);
      scores.add(0f);
    }
    for (int token = SPECIAL; token < VOCABULARY; token++) {
      texts.add(Character.toString(FIRST_LETTER + token));
      types.add(1);
      scores.add(0f);
    }
    return Map.of(
        "tokenizer.ggml.model",
        "llama",
        "tokenizer.ggml.tokens",
        texts,
        "tokenizer.ggml.scores",
        scores,
        "tokenizer.ggml.token_type",
        types,
        "tokenizer.ggml.bos_token_id",
        1,
        "tokenizer.ggml.eos_token_id",
        2,
        "tokenizer.ggml.unknown_token_id",
        0,
        "tokenizer.ggml.add_bos_token",
        false,
        "tokenizer.ggml.add_space_prefix",
        false);
  }
}
