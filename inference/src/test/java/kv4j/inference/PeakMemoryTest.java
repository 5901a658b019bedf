package kv4j.inference;

import static kv4j.inference.EngineTestKit.between;
import static kv4j.inference.EngineTestKit.forAll;
import static kv4j.inference.EngineTestKit.randomConfig;
import static kv4j.inference.EngineTestKit.randomTokens;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.management.ThreadMXBean;
import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.IntConsumer;
import kv4j.cache.KvCache;
import kv4j.cache.KvCacheConfig;
import kv4j.cache.KvCaches;
import kv4j.cache.KvSequence;
import kv4j.cache.block.KvBlock;
import kv4j.cache.block.KvDtype;
import kv4j.cache.block.KvLayout;
import kv4j.inference.pass.ForwardPass;
import kv4j.model.DemoModels;
import kv4j.model.MemoryFormula;
import kv4j.model.Model;
import kv4j.model.TransformerConfig;
import kv4j.model.TransformerConfig.RopePairing;
import org.junit.jupiter.api.Test;

/** {@link MemoryFormula} holds: peak memory is weights, cache and one arena. */
class PeakMemoryTest {
  /** Shapes and scalars, which the formula leaves out. */
  private static final long SMALL_CHANGE = 16L << 10;

  /** No two values of it are equally wide, so that none shares another's matrix. */
  private static final TransformerConfig ALL_DIFFERENT =
      new TransformerConfig(
          4, 50, 4, 2, 16, 90, 300, 2_000, 1e-5f, 10_000, RopePairing.SPLIT, true);

  private static final MemoryFormula FORMULA = new MemoryFormula(ALL_DIFFERENT);

  @Test
  void weightsAndOneArenaAreOnTheHeapAndOnlyConstantsOutside() {
    long before = NativeMemory.arrayBytesHeld();
    Model model = DemoModels.create("all different", ALL_DIFFERENT, 1);
    long loaded = NativeMemory.arrayBytesHeld();
    assertClose(FORMULA.constants(), loaded - before);
    try (InferenceEngine engine = InferenceEngine.create(model, new EngineOptions(2, 32))) {
      assertEquals(0, engine.arenaBytes());
      assertPeak(engine, loaded, 32, 1, passes(engine, 1, 100)); // in chunks
      assertPeak(engine, loaded, 60, 3, passes(engine, 3, 20));
      assertPeak(engine, loaded, 60, 3, passes(engine, 1, 5)); // never shrinks
      try (KvSequence left = EngineTestKit.newSequence(engine);
          SlicedPass pass = engine.begin(pass(left, 50))) {
        pass.advance();
        passes(engine, 2, 8);
        passes(engine, 2, 9);
        while (pass.advance().isEmpty()) {}
      }
      passes(engine, 3, 20);
      assertEquals(FORMULA.arena(60, 3) + FORMULA.arena(18, 2), engine.arenaBytes());
    }
    assertClose(0, NativeMemory.arrayBytesHeld() - loaded);
  }

  private static ForwardPass pass(KvSequence sequence, int tokens) {
    var logits = ForwardPass.Logits.LAST;
    return new ForwardPass(
        List.of(new ForwardPass.Segment(sequence, new int[tokens], 0, tokens, logits)));
  }

  private static void assertPeak(
      InferenceEngine engine, long loaded, int rows, int logitRows, long peak) {
    assertClose(0, peak - loaded);
    assertEquals(FORMULA.arena(rows, logitRows), engine.arenaBytes());
  }

  private static void assertClose(long expected, long actual) {
    assertTrue(
        Math.abs(actual - expected) <= SMALL_CHANGE, actual + " bytes, not about " + expected);
  }

  @Test
  void noOtherModelTakesMoreThanTheFormulaSays() {
    forAll(
        20,
        random -> {
          TransformerConfig config = randomConfig(random);
          Model model = EngineTestKit.randomModel(config, random);
          MemoryFormula formula = new MemoryFormula(config);
          int chunk = between(random, 1, 64);
          int rows = Math.min(chunk, 50);
          long before = NativeMemory.arrayBytesHeld();
          try (InferenceEngine engine =
              InferenceEngine.create(model, new EngineOptions(1, chunk))) {
            long taken = passes(engine, 1, 50) - before;
            assertTrue(taken <= SMALL_CHANGE, config + ": " + taken);
            long most = formula.arena(rows, 1);
            assertTrue(engine.arenaBytes() <= most, config + ": " + engine.arenaBytes());
          }
        });
  }

  /**
   * Runs several sequences together, or one in chunks.
   *
   * @return most bytes of arrays seen: whenever a layer calls the cache, and afterwards
   */
  private static long passes(InferenceEngine engine, int sequences, int tokens) {
    AtomicLong most = new AtomicLong();
    IntConsumer look = layer -> most.accumulateAndGet(NativeMemory.arrayBytes(), Math::max);
    SplittableRandom random = new SplittableRandom(9);
    List<ForwardPass.Segment> segments = new ArrayList<>();
    for (int i = 0; i < sequences; i++) {
      KvSequence sequence = new WatchedSequence(EngineTestKit.newSequence(engine), look);
      int[] text = randomTokens(random, tokens, engine.model());
      segments.add(new ForwardPass.Segment(sequence, text, 0, tokens, ForwardPass.Logits.LAST));
    }
    if (sequences == 1) {
      ForwardPass.Segment only = segments.get(0);
      engine.forward(only.sequence(), only.tokens(), 0, tokens);
    } else {
      engine.forward(new ForwardPass(segments));
    }
    segments.forEach(segment -> segment.sequence().close());
    return Math.max(most.get(), NativeMemory.arrayBytesHeld());
  }

  /** Keeps to its bytes; and a block really takes what it is counted as. */
  @Test
  void theCacheTakesItsBlocksAndNoMoreThanItMay() {
    Model model = DemoModels.create("all different", ALL_DIFFERENT, 1);
    SplittableRandom random = new SplittableRandom(2);
    try (InferenceEngine engine = InferenceEngine.create(model, new EngineOptions(1, 64))) {
      KvLayout layout = engine.layout(16, KvDtype.F32);
      long most = 7 * layout.bytesPerBlock();
      ClassLoader loader = PeakMemoryTest.class.getClassLoader();
      try (KvCache cache = KvCaches.create("radix", KvCacheConfig.of(layout, most), loader)) {
        Generator generator = new Generator(engine, cache);
        generator.generate(GenerationRequest.greedy(randomTokens(random, 62, model), 2));
        assertEquals(4 * layout.bytesPerBlock(), cache.stats().storage().bytes());
        for (int i = 0; i < 5; i++) {
          generator.generate(GenerationRequest.greedy(randomTokens(random, 62, model), 2));
        }
        assertTrue(cache.stats().storage().peakBytes() <= most, cache.stats().toString());
      }
      for (KvDtype dtype : KvDtype.values()) {
        assertBlockTakesItsBytes(engine.layout(16, dtype));
      }
    }
  }

  private static void assertBlockTakesItsBytes(KvLayout layout) {
    ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    long thread = Thread.currentThread().getId();
    List<KvBlock> blocks = new ArrayList<>(List.of(new KvBlock(layout))); // classes are loaded
    long before = threads.getThreadAllocatedBytes(thread);
    blocks.add(new KvBlock(layout));
    long taken = threads.getThreadAllocatedBytes(thread) - before;
    assertTrue(taken >= layout.bytesPerBlock(), layout + ": " + taken);
    long objects = 160L * layout.layers(); // their headers
    assertTrue(taken <= layout.bytesPerBlock() + objects, layout + ": " + taken);
  }
}
