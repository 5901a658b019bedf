package kv4j.inference;

import static kv4j.inference.LlamaCppKit.NEW_TOKENS;
import static kv4j.inference.LlamaCppKit.SPECIAL;
import static kv4j.inference.LlamaCppKit.VOCABULARY;
import static kv4j.inference.LlamaCppKit.assertSameTokens;
import static kv4j.inference.LlamaCppKit.model;
import static kv4j.inference.LlamaCppKit.open;
import static kv4j.inference.LlamaCppKit.request;
import static kv4j.inference.LlamaCppKit.tokens;
import static kv4j.inference.LlamaCppKit.vocabulary;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import de.kherud.llama.LlamaModel;
import de.kherud.llama.ModelParameters;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.stream.Stream;
import kv4j.cache.KvCache;
import kv4j.cache.basic.RequestCacheProvider;
import kv4j.cache.block.KvDtype;
import kv4j.model.DemoModels;
import kv4j.model.Model;
import kv4j.model.ModelPreset;
import kv4j.model.Positions;
import kv4j.model.TransformerConfig;
import kv4j.model.TransformerConfig.Block;
import kv4j.model.TransformerConfig.RopePairing;
import kv4j.model.family.ModelExport;
import kv4j.model.tokenizer.GgufTokenizers;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * llama.cpp loads what is exported of random models and generates the same tokens. It knows no
 * Qwen3.
 */
class LlamaCppTest {
  private static final Positions SPLIT =
      new Positions.Rotary(1e4f, RopePairing.SPLIT, Positions.Scaling.NONE);
  private static final Positions ADJACENT =
      new Positions.Rotary(1e4f, RopePairing.ADJACENT, Positions.Scaling.NONE);

  @TempDir private Path folder;

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
    try (LlamaModel judge = open(file);
        InferenceEngine engine = InferenceEngine.create(model, new EngineOptions(2, 256));
        KvCache cache =
            new RequestCacheProvider().create(EngineTestKit.config(engine, 16, KvDtype.F32))) {
      Generator generator = new Generator(engine, cache);
      for (int length : new int[] {1, 2, 17, 100, 300}) {
        int[] prompt = random.ints(length, SPECIAL, VOCABULARY).toArray();
        GenerationResult ours =
            generator.generate(GenerationRequest.greedy(prompt, NEW_TOKENS), true);
        List<Integer> theirs = tokens(judge.complete(request(prompt, NEW_TOKENS)));
        assertSameTokens(ours, theirs, name + ", prompt of " + length);
      }
    }
  }

  /** By the names of tokens, of whatever type the file says that they are. */
  @Test
  void llamaCppStopsWhereWeDo() {
    SplittableRandom random = new SplittableRandom(11);
    Model model = model("ends", config(2, 64, 4, 2, 16, ADJACENT, Block.LLAMA, false), random);
    int[] prompt = random.ints(20, SPECIAL, VOCABULARY).toArray();
    int[] tokens;
    try (InferenceEngine engine = InferenceEngine.create(model, new EngineOptions(2, 256));
        KvCache cache =
            new RequestCacheProvider().create(EngineTestKit.config(engine, 16, KvDtype.F32))) {
      tokens = new Generator(engine, cache).generate(GenerationRequest.greedy(prompt, 12)).tokens();
    }
    int at = 3; // of a token that comes up for the first time, and not at once
    while (contains(prompt, tokens[at]) || contains(Arrays.copyOf(tokens, at), tokens[at])) {
      at++;
    }
    List<String> names =
        List.of(
            "<|eot_id|>",
            "<|im_end|>",
            "<|end|>",
            "<end_of_turn>",
            "<|endoftext|>",
            "<|eom_id|>",
            "<EOT>",
            "<|fim_pad|>",
            "<|repo_name|>",
            "<|file_sep|>",
            "<|im_start|>",
            "<|user|>",
            "<|endofturn|>");
    for (String name : names) {
      Map<String, Object> metadata = new HashMap<>(vocabulary());
      List<Object> texts = new ArrayList<>((List<?>) metadata.get("tokenizer.ggml.tokens"));
      texts.set(tokens[at], name);
      metadata.put("tokenizer.ggml.tokens", texts);
      Path file = folder.resolve("ends.gguf");
      ModelExport.gguf(model, metadata, file);
      boolean ends = GgufTokenizers.from(metadata).endTokens().contains(tokens[at]);
      try (LlamaModel judge = open(file)) {
        String theirs = judge.complete(request(prompt, 12).setIgnoreEos(false));
        assertEquals(ends, theirs.codePointCount(0, theirs.length()) == at, name + ": " + theirs);
      }
    }
  }

  private static boolean contains(int[] tokens, int token) {
    return Arrays.stream(tokens).anyMatch(one -> one == token);
  }

  /**
   * The demo models' bytes are the same tokens to llama.cpp, in the vocabulary that is exported.
   */
  @Test
  void llamaCppHasTheTokensOfTheDemoModels() {
    Model model = DemoModels.create(ModelPreset.TINY, 1);
    Path file = folder.resolve("demo.gguf");
    ModelExport.gguf(model, GgufTokenizers.metadata(model.tokenizer()), file);
    ModelParameters parameters =
        new ModelParameters().setModel(file.toString()).setCtxSize(64).skipWarmup().disableLog();
    try (LlamaModel judge = new LlamaModel(parameters)) {
      String text = "Two  spaces,\n\ttabs; Größe 12345 \u2581 😀's";
      int[] theirs = judge.encode(text);
      int begin = theirs[0] == model.tokenizer().beginToken() ? 1 : 0;
      assertArrayEquals(
          model.tokenizer().encode(text), Arrays.copyOfRange(theirs, begin, theirs.length));
    }
  }
}
