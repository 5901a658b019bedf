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
import static org.junit.jupiter.api.Assertions.assertEquals;

import de.kherud.llama.LlamaModel;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import kv4j.cache.KvCache;
import kv4j.cache.basic.RequestCacheProvider;
import kv4j.cache.block.KvDtype;
import kv4j.model.Model;
import kv4j.model.TransformerConfig;
import kv4j.model.TransformerConfig.RopePairing;
import kv4j.model.family.LoadListener;
import kv4j.model.family.LoadOptions;
import kv4j.model.family.ModelExport;
import kv4j.model.family.ModelLoader;
import kv4j.model.format.ModelFiles;
import kv4j.model.format.TensorSource;
import kv4j.model.format.block.TensorType;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Whole models of every stored type: from their expanded weights llama.cpp generates the same
 * tokens. From the file itself it does not always, as it rounds what it multiplies the blocks with.
 */
class QuantizedModelTest {
  private static final TransformerConfig CONFIG =
      new TransformerConfig(
          4, 256, 4, 2, 64, 512, VOCABULARY, 512, 1e-5f, 1e4f, RopePairing.ADJACENT, false);

  @TempDir private Path folder;

  @ParameterizedTest
  @EnumSource(value = TensorType.class, names = "F32", mode = EnumSource.Mode.EXCLUDE)
  void llamaCppGeneratesTheSameTokens(TensorType type) throws IOException {
    SplittableRandom random = new SplittableRandom(type.id());
    Path plain = folder.resolve("plain.gguf");
    Path quantized = folder.resolve("quantized.gguf");
    Path expanded = folder.resolve("expanded.gguf");
    ModelExport.gguf(model("random", CONFIG, random), vocabulary(), plain);
    try (TensorSource source = ModelFiles.open(plain)) {
      QuantizedGguf.write(source, type, new Random(type.id()), quantized);
    }
    try (TensorSource source = ModelFiles.open(quantized)) {
      assertEquals(type.name(), source.dtype("blk.0.ffn_down.weight"));
    }
    Model model = ModelLoader.load(quantized, LoadOptions.ALL, LoadListener.NONE);
    ModelExport.gguf(model, vocabulary(), expanded);
    try (LlamaModel judge = open(expanded);
        LlamaModel original = open(quantized);
        InferenceEngine engine = InferenceEngine.create(model, new EngineOptions(2, 256));
        KvCache cache =
            new RequestCacheProvider().create(EngineTestKit.config(engine, 16, KvDtype.F32))) {
      Generator generator = new Generator(engine, cache);
      int different = 0;
      List<Integer> lengths = List.of(9, 150);
      for (int length : lengths) {
        int[] prompt = random.ints(length, SPECIAL, VOCABULARY).toArray();
        GenerationResult ours =
            generator.generate(GenerationRequest.greedy(prompt, NEW_TOKENS), true);
        List<Integer> theirs = tokens(judge.complete(request(prompt, NEW_TOKENS)));
        assertSameTokens(ours, theirs, type + ", prompt of " + length);
        different += different(original, prompt, ours.tokens());
      }
      System.out.printf(
          "%s: from the file itself, llama.cpp goes on with another token at %d of %d places%n",
          type, different, lengths.size() * NEW_TOKENS);
    }
  }

  /** At how many places llama.cpp's next token is another, given the same before it. */
  private static int different(LlamaModel judge, int[] prompt, int[] generated) {
    int[] all = IntStream.concat(Arrays.stream(prompt), Arrays.stream(generated)).toArray();
    int different = 0;
    for (int i = 0; i < generated.length; i++) {
      int[] before = Arrays.copyOf(all, prompt.length + i);
      String next = judge.complete(request(before, 1).setCachePrompt(true));
      different += tokens(next).equals(List.of(generated[i])) ? 0 : 1;
    }
    return different;
  }
}
