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
import java.util.stream.Stream;
import kv4j.cache.KvCache;
import kv4j.cache.basic.RequestCacheProvider;
import kv4j.cache.block.KvDtype;
import kv4j.model.ByteTokenizer;
import kv4j.model.DemoModels;
import kv4j.model.GraphNames;
import kv4j.model.Model;
import kv4j.model.Positions;
import kv4j.model.TransformerConfig;
import kv4j.model.TransformerConfig.Block;
import kv4j.model.TransformerConfig.RopePairing;
import kv4j.model.TransformerWeights;
import kv4j.model.family.ModelExport;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * llama.cpp loads what is exported of random models and generates the same tokens. Its binding
 * shows tokens as text only, so each token of these models' vocabularies is one letter. It knows no
 * Qwen3.
 */
class LlamaCppTest {
  private static final int VOCABULARY = 600;
  private static final int SPECIAL = 3 + 256;
  private static final int FIRST_LETTER = 0x4e00;
  private static final int NEW_TOKENS = 64;

  private static final Positions SPLIT =
      new Positions.Rotary(1e4f, RopePairing.SPLIT, Positions.Scaling.NONE);
  private static final Positions ADJACENT =
      new Positions.Rotary(1e4f, RopePairing.ADJACENT, Positions.Scaling.NONE);

  @TempDir private Path folder;

  @BeforeAll
  static void quiet() {
    LlamaModel.setLogger(LogFormat.TEXT, (LogLevel level, String message) -> {});
  }

  static Stream<Arguments> models() {
    Positions far =
        new Positions.Rotary(5e5f, RopePairing.ADJACENT, Positions.llama3(5e5f, 32, 8, 1, 4, 128));
    Positions linear = new Positions.Rotary(1e4f, RopePairing.SPLIT, new Positions.Linear(2));
    return Stream.of(
        Arguments.of("Llama", config(32, 96, 6, 2, 16, ADJACENT, Block.LLAMA, false)),
        Arguments.of("Llama, split pairs", config(32, 64, 4, 4, 16, SPLIT, Block.LLAMA, true)),
        Arguments.of("Llama 3.2", config(32, 64, 8, 2, 32, far, Block.LLAMA, true)),
        Arguments.of("Qwen2", config(32, 96, 6, 2, 16, SPLIT, Block.QWEN2, false)),
        Arguments.of("Qwen2, linear", config(32, 96, 6, 3, 16, linear, Block.QWEN2, true)),
        Arguments.of("GPT-2", config(32, 64, 4, 4, 16, new Positions.Learned(), Block.GPT2, true)));
  }

  private static TransformerConfig config(
      int layers,
      int dim,
      int heads,
      int kvHeads,
      int headDim,
      Positions positions,
      Block block,
      boolean tied) {
    return new TransformerConfig(
        layers, dim, heads, kvHeads, headDim, 160, VOCABULARY, 512, 1e-5f, positions, block, tied);
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("models")
  void llamaCppGeneratesTheSameTokens(String name, TransformerConfig config) {
    SplittableRandom random = new SplittableRandom(name.hashCode());
    Model model = model(name, config, random);
    Path file = folder.resolve("model.gguf");
    ModelExport.gguf(model, vocabulary(), file);
    ModelParameters parameters =
        new ModelParameters()
            .setModel(file.toString())
            .setCtxSize(512)
            .setThreads(2)
            .setThreadsBatch(2)
            .setCacheTypeK(CacheType.F32)
            .setCacheTypeV(CacheType.F32)
            .skipWarmup()
            .disableLog();
    try (LlamaModel judge = new LlamaModel(parameters);
        InferenceEngine engine = InferenceEngine.create(model, new EngineOptions(2, 256));
        KvCache cache =
            new RequestCacheProvider().create(EngineTestKit.config(engine, 16, KvDtype.F32))) {
      Generator generator = new Generator(engine, cache);
      for (int length : new int[] {1, 2, 17, 100, 300}) {
        int[] prompt = random.ints(length, SPECIAL, VOCABULARY).toArray();
        GenerationResult ours =
            generator.generate(GenerationRequest.greedy(prompt, NEW_TOKENS), true);
        List<Integer> theirs = tokens(judge.complete(request(prompt)));
        assertSameTokens(ours, theirs, name + ", prompt of " + length);
      }
    }
  }

  /** Where two tokens are as likely but for rounding, either is right and the texts part. */
  private static void assertSameTokens(GenerationResult ours, List<Integer> theirs, String what) {
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

  private static InferenceParameters request(int[] prompt) {
    StringBuilder text = new StringBuilder();
    for (int token : prompt) {
      text.appendCodePoint(FIRST_LETTER + token);
    }
    return new InferenceParameters(text.toString())
        .setNPredict(NEW_TOKENS)
        .setTemperature(0)
        .setIgnoreEos(true)
        .setCachePrompt(false);
  }

  private static List<Integer> tokens(String text) {
    return text.codePoints().map(letter -> letter - FIRST_LETTER).boxed().toList();
  }

  /** Special tokens and bytes get no logits, so that they are never generated. */
  private static Model model(String name, TransformerConfig config, SplittableRandom random) {
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
  private static Map<String, Object> vocabulary() {
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
