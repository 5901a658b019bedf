package kv4j.inference;

import static kv4j.inference.EngineTestKit.config;
import static kv4j.inference.EngineTestKit.randomTokens;

import java.util.SplittableRandom;
import kv4j.cache.KvCache;
import kv4j.cache.basic.RequestCacheProvider;
import kv4j.cache.block.KvDtype;
import kv4j.model.DemoModels;
import kv4j.model.Model;
import kv4j.model.ModelPreset;
import org.bytedeco.javacpp.Pointer;
import org.junit.jupiter.api.Test;
import org.nd4j.linalg.factory.Nd4j;

/** Memory outside the Java heap. */
class MemoryTest {
  private static final Model MODEL = DemoModels.create(ModelPreset.TINY, 8);

  @Test
  void requestsLeaveNothingBehind() {
    try (InferenceEngine engine = InferenceEngine.create(MODEL, new EngineOptions(2, 64));
        KvCache cache = new RequestCacheProvider().create(config(engine, 16, KvDtype.F32))) {
      Generator generator = new Generator(engine, cache);
      for (int i = 0; i < 5; i++) {
        run(generator, i == 0 ? 20 : 100);
        System.err.println(
            "nd4j "
                + Nd4j.getMemoryManager().allocatedMemory(0)
                + " tracker "
                + org.nd4j.linalg.api.memory.AllocationsTracker.getInstance().bytesOnDevice(0)
                + " ptr "
                + Pointer.totalBytes()
                + " "
                + Pointer.totalCount()
                + " rss "
                + Pointer.physicalBytes()
                + " "
                + engine.arenaBytes());
      }
    }
    System.err.println(
        "nd4j "
            + Nd4j.getMemoryManager().allocatedMemory(0)
            + " ptr "
            + Pointer.totalBytes()
            + " "
            + Pointer.totalCount());
  }

  private static void run(Generator generator, int requests) {
    SplittableRandom random = new SplittableRandom(5);
    for (int i = 0; i < requests; i++) {
      int[] prompt = randomTokens(random, 100 - i % 20, MODEL);
      generator.generate(GenerationRequest.greedy(prompt, 2));
    }
  }
}
