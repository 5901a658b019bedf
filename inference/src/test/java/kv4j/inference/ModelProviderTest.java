package kv4j.inference;

import static kv4j.inference.EngineTestKit.assertMatchesStock;
import static kv4j.inference.EngineTestKit.concat;
import static kv4j.inference.EngineTestKit.randomTokens;
import static kv4j.inference.EngineTestKit.request;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.io.File;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.file.Path;
import java.util.SplittableRandom;
import kv4j.cache.KvCache;
import kv4j.cache.KvCaches;
import kv4j.cache.block.KvDtype;
import kv4j.inference.example.OnnxFile;
import kv4j.model.ByteTokenizer;
import kv4j.model.Model;
import kv4j.model.ModelPreset;
import kv4j.model.ModelProviders;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.nd4j.autodiff.samediff.SameDiff;

class ModelProviderTest {
  private static final ClassLoader LOADER = ModelProviderTest.class.getClassLoader();

  @Test
  void aGraphOfOnesOwnRunsThroughTheCache() {
    runsAsStock(ModelProviders.create("alibi", "7", LOADER));
  }

  @Test
  void aSavedGraphRunsTheSame(@TempDir Path folder) {
    Model model = ModelProviders.create("alibi", "7", LOADER);
    File file = folder.resolve("alibi.fb").toFile();
    model.graph().save(file, false);
    Model read = ModelProviders.create("alibi", file.toString(), LOADER);
    assertEquals(model.fingerprint(), read.fingerprint());
    runsAsStock(read);
  }

  @Test
  void anOnnxFileRunsThroughTheCache(@TempDir Path folder) throws IOException {
    Path file = folder.resolve("model.onnx");
    OnnxFile.write(file, 7);
    Model model = read(file);
    runsAsStock(model);
    OnnxFile.write(file, 8);
    Model other = read(file);
    assertNotEquals(model.fingerprint(), other.fingerprint());
    File saved = folder.resolve("onnx.fb").toFile();
    model.graph().save(saved, false);
    runsAsStock(
        Model.ofGraph(
            "saved", model.config(), SameDiff.load(saved, false), model.tokenizer(), "bytes"));
  }

  /** Without what ND4J's importer prints. */
  private static Model read(Path onnx) {
    PrintStream out = System.out;
    System.setOut(new PrintStream(OutputStream.nullOutputStream()));
    try {
      return ModelProviders.create("onnx", onnx.toString(), LOADER);
    } finally {
      System.setOut(out);
    }
  }

  private static void runsAsStock(Model model) {
    SplittableRandom random = new SplittableRandom(7);
    for (boolean fuse : new boolean[] {true, false}) {
      try (InferenceEngine engine = InferenceEngine.create(model, new EngineOptions(2, 16, fuse));
          KvCache cache =
              KvCaches.create("radix", EngineTestKit.config(engine, 16, KvDtype.F32), LOADER)) {
        int[] shared = randomTokens(random, 40, model);
        for (int expectedCached : new int[] {0, 40, 40}) {
          GenerationRequest request =
              request(concat(shared, new int[] {expectedCached, random.nextInt(9)}), 3, 0);
          GenerationResult result = new Generator(engine, cache).generate(request, true);
          assertEquals(expectedCached > 0, result.lookup().cachedTokens() >= 40);
          assertMatchesStock(model, request, result, "fuse " + fuse + ", " + result.lookup());
        }
      }
    }
  }

  @Test
  void modelsAreToldApart() {
    Model one = ModelProviders.create("alibi", "", LOADER);
    assertEquals(one.fingerprint(), ModelProviders.create("alibi", "1", LOADER).fingerprint());
    assertNotEquals(one.fingerprint(), ModelProviders.create("alibi", "2", LOADER).fingerprint());
  }

  @Test
  void whatIsMissingIsNamed() {
    Exception unknown =
        assertThrows(
            IllegalArgumentException.class, () -> ModelProviders.create("alpha", "", LOADER));
    assertEquals("there is no model named alpha; there are alibi, onnx", unknown.getMessage());
    assertThrows(IllegalArgumentException.class, () -> ModelProviders.create("alibi", "x", LOADER));
    Exception empty =
        assertThrows(
            IllegalArgumentException.class,
            () ->
                Model.ofGraph(
                    "empty",
                    ModelPreset.TINY.config(),
                    SameDiff.create(),
                    new ByteTokenizer(),
                    "bytes"));
    assertEquals("the graph has nothing named tokens", empty.getMessage());
  }
}
