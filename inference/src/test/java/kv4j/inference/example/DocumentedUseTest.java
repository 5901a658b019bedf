package kv4j.inference.example;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.File;
import java.nio.file.Path;
import kv4j.cache.KvCache;
import kv4j.cache.KvCacheConfig;
import kv4j.cache.KvCaches;
import kv4j.cache.KvRequest;
import kv4j.cache.block.KvDtype;
import kv4j.cache.block.KvLayout;
import kv4j.cache.radix.RadixKvCache;
import kv4j.inference.EngineOptions;
import kv4j.inference.GenerationRequest;
import kv4j.inference.GenerationResult;
import kv4j.inference.Generator;
import kv4j.inference.InferenceEngine;
import kv4j.inference.dl4j.CachedSequences;
import kv4j.inference.dl4j.KvCachedSelfAttention;
import kv4j.inference.schedule.Scheduler;
import kv4j.inference.schedule.SchedulerOptions;
import kv4j.inference.schedule.Submission;
import kv4j.model.DemoModels;
import kv4j.model.Model;
import kv4j.model.ModelPreset;
import kv4j.model.ModelProviders;
import kv4j.model.Tokenizer;
import kv4j.model.TransformerConfig;
import org.deeplearning4j.nn.conf.MultiLayerConfiguration;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.RnnOutputLayer;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.lossfunctions.LossFunctions.LossFunction;

/** The code that README and documentation show, run as it stands there. */
class DocumentedUseTest {
  @Test
  void generatesThroughACache() {
    Model model = DemoModels.create(ModelPreset.S, 42);
    try (InferenceEngine engine = InferenceEngine.create(model, EngineOptions.defaults());
        KvCache cache =
            new RadixKvCache(KvCacheConfig.of(engine.layout(16, KvDtype.F32), 512L << 20))) {
      Generator generator = new Generator(engine, cache);
      int[] prompt = model.tokenizer().encode("You are a helpful assistant. What is a cache?");
      GenerationResult result = generator.generate(GenerationRequest.greedy(prompt, 32));
      System.out.println(model.tokenizer().decode(result.tokens()) + " " + result.lookup());
      assertEquals(32, result.tokens().length);
      GenerationResult again = generator.generate(GenerationRequest.greedy(prompt, 32));
      assertArrayEquals(result.tokens(), again.tokens());
      assertEquals(prompt.length - 1, again.lookup().cachedTokens());
    }
  }

  @Test
  void schedulesManyRequests() throws Exception {
    Model model = DemoModels.create(ModelPreset.TINY, 42);
    int[] prompt = model.tokenizer().encode("You are a helpful assistant. What is a cache?");
    try (InferenceEngine engine = InferenceEngine.create(model, EngineOptions.defaults());
        KvCache cache =
            new RadixKvCache(KvCacheConfig.of(engine.layout(16, KvDtype.F32), 1 << 24))) {
      try (Scheduler scheduler = new Scheduler(engine, cache, SchedulerOptions.defaults())) {
        Submission whole = scheduler.submit(GenerationRequest.greedy(prompt, 32));
        Submission streamed =
            scheduler.submit(
                GenerationRequest.greedy(prompt, 32),
                (token, logits) -> {
                  System.out.print(model.tokenizer().decode(new int[] {token}));
                  return true; // false: no more of it
                });
        System.out.println(whole.await().generation().lookup() + " " + streamed.await().end());
        assertArrayEquals(
            whole.await().generation().tokens(), streamed.await().generation().tokens());
      }
    }
  }

  @Test
  void readsASavedGraph(@TempDir Path folder) {
    Model built = ModelProviders.create("alibi", "3", DocumentedUseTest.class.getClassLoader());
    File file = folder.resolve("mine.fb").toFile();
    built.graph().save(file, false);
    TransformerConfig config = built.config();
    Tokenizer tokenizer = built.tokenizer();
    SameDiff graph = SameDiff.load(file, false);
    Model model = Model.ofGraph("mine", config, graph, tokenizer, "my tokenizer");
    assertEquals(3, model.config().layers());
  }

  @Test
  void sharesPrefixesOfANetwork() {
    MultiLayerConfiguration configuration =
        new NeuralNetConfiguration.Builder()
            .list()
            .layer(new KvCachedSelfAttention.Builder().nOut(64).heads(4).build())
            .layer(
                new RnnOutputLayer.Builder(LossFunction.MCXENT)
                    .nOut(50)
                    .activation(Activation.SOFTMAX)
                    .build())
            .setInputType(InputType.recurrent(64))
            .build();
    MultiLayerNetwork network = new MultiLayerNetwork(configuration);
    network.init();
    ClassLoader loader = DocumentedUseTest.class.getClassLoader();
    int[] steps = new int[20];
    for (int i = 0; i < steps.length; i++) {
      steps[i] = 3 * i;
    }
    KvLayout layout = CachedSequences.layout(network, 16, KvDtype.F32);
    KvCache cache = KvCaches.create("radix", KvCacheConfig.of(layout, 1 << 28), loader);
    try (CachedSequences sequences = CachedSequences.open(network, cache, KvRequest.of(steps))) {
      int cached = sequences.cachedSteps(0); // the inputs of these are not needed again
      INDArray output = network.rnnTimeStep(inputsFrom(steps, cached));
      sequences.commit(0, steps);
      assertEquals(20, output.size(2));
    }
    try (CachedSequences sequences = CachedSequences.open(network, cache, KvRequest.of(steps))) {
      assertEquals(19, sequences.cachedSteps(0));
    }
    cache.close();
  }

  /** One-hot, {@code [1, 64, steps]}. */
  private static INDArray inputsFrom(int[] steps, int first) {
    INDArray input = Nd4j.zeros(1, 64, steps.length - first);
    for (int i = first; i < steps.length; i++) {
      input.putScalar(0, steps[i], i - first, 1);
    }
    return input;
  }
}
