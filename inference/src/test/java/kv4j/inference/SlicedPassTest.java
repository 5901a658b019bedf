package kv4j.inference;

import static kv4j.inference.EngineTestKit.assertLogits;
import static kv4j.inference.EngineTestKit.between;
import static kv4j.inference.EngineTestKit.forAll;
import static kv4j.inference.EngineTestKit.newSequence;
import static kv4j.inference.EngineTestKit.oneOf;
import static kv4j.inference.EngineTestKit.randomModel;
import static kv4j.inference.EngineTestKit.randomTokens;
import static kv4j.inference.EngineTestKit.stockLogits;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;
import kv4j.cache.KvRequest;
import kv4j.cache.KvSequence;
import kv4j.cache.block.KvDtype;
import kv4j.cache.radix.RadixKvCache;
import kv4j.inference.pass.ForwardPass;
import kv4j.inference.pass.ForwardPass.Logits;
import kv4j.inference.pass.ForwardPass.Segment;
import kv4j.model.DemoModels;
import kv4j.model.Model;
import kv4j.model.ModelPreset;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Passes that are left between layers. */
@Timeout(value = 120, unit = TimeUnit.SECONDS, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class SlicedPassTest {
  /** A text, its sequence, and what each position's logits are alone. */
  private static final class Text {
    private final InferenceEngine engine;
    private final KvSequence sequence;
    private final int[] tokens;
    private final float[][] alone;

    Text(InferenceEngine engine, SplittableRandom random, int most) {
      this.engine = engine;
      sequence = newSequence(engine);
      tokens = randomTokens(random, between(random, 2, most), engine.model());
      alone = stockLogits(engine.model(), tokens);
    }

    /** Of the text's next tokens, and logits of the last. */
    Segment next(int rows) {
      int from = sequence.length();
      return new Segment(sequence, tokens, from, from + rows, Logits.LAST);
    }

    boolean goesOn() {
      return sequence.length() < tokens.length;
    }

    /** Runs some of its tokens at once. */
    void runSome(SplittableRandom random) {
      Segment segment = next(between(random, 1, tokens.length - sequence.length()));
      check(segment, engine.forward(new ForwardPass(List.of(segment)))[0]);
    }

    void check(Segment segment, float[] row) {
      assertEquals(segment.to(), sequence.length());
      assertLogits(alone[segment.to() - 1], row, segment.toString());
    }
  }

  @Test
  void aPassAndThoseInBetweenGiveTheLogitsOfEachAlone() {
    forAll(12, random -> interleave(random, between(random, 1, 3), true));
  }

  /** It runs as a whole then, when it is advanced. */
  @Test
  void theSameHoldsWhereNothingIsFused() {
    forAll(2, random -> interleave(random, 1, false));
  }

  private static void interleave(SplittableRandom random, int threads, boolean fuse) {
    Model model = randomModel(random);
    try (InferenceEngine engine =
        InferenceEngine.create(model, new EngineOptions(threads, 64, fuse))) {
      for (int round = 0; round < 2; round++) {
        List<Text> left = new ArrayList<>();
        for (int i = between(random, 1, 3); i > 0; i--) {
          left.add(new Text(engine, random, 190));
        }
        left.forEach(text -> text.runSome(random));
        left.removeIf(text -> !text.goesOn());
        List<Text> others = new ArrayList<>();
        for (int i = 0; i < 12; i++) {
          others.add(new Text(engine, random, 30));
        }
        if (!left.isEmpty()) {
          int layers = interleave(engine, left, others, random);
          assertEquals(fuse ? model.config().layers() : 1, layers);
        }
      }
    }
  }

  /** Runs the texts in one pass to their ends, others in between, and counts its slices. */
  private static int interleave(
      InferenceEngine engine, List<Text> texts, List<Text> others, SplittableRandom random) {
    List<Segment> segments =
        texts.stream().map(text -> text.next(text.tokens.length - text.sequence.length())).toList();
    try (SlicedPass pass = engine.begin(new ForwardPass(segments))) {
      for (int slices = 1; ; slices++) {
        others.removeIf(text -> !text.goesOn());
        if (!others.isEmpty()) {
          oneOf(random, others).runSome(random);
        }
        Optional<float[][]> logits = pass.advance();
        if (logits.isPresent()) {
          for (int i = 0; i < segments.size(); i++) {
            texts.get(i).check(segments.get(i), logits.get()[i]);
          }
          return slices;
        }
      }
    }
  }

  @Test
  void oneThatBeginsWhileAnotherIsLeftRunsAsAWhole() {
    SplittableRandom random = new SplittableRandom(2);
    try (InferenceEngine engine = engine()) {
      Text one = new Text(engine, random, 150);
      Text other = new Text(engine, random, 150);
      Segment first = one.next(one.tokens.length);
      Segment second = other.next(other.tokens.length);
      try (SlicedPass left = engine.begin(new ForwardPass(List.of(first)));
          SlicedPass whole = engine.begin(new ForwardPass(List.of(second)))) {
        assertTrue(left.advance().isEmpty());
        other.check(second, whole.advance().orElseThrow()[0]);
        Optional<float[][]> logits = left.advance();
        while (logits.isEmpty()) {
          logits = left.advance();
        }
        one.check(first, logits.get()[0]);
        String error = assertThrows(IllegalStateException.class, left::advance).getMessage();
        assertEquals("the pass has come to its end", error);
      }
    }
  }

  private static InferenceEngine engine() {
    return InferenceEngine.create(DemoModels.create(ModelPreset.TINY, 1), new EngineOptions(2, 64));
  }

  @Test
  void oneThatIsGivenUpLeavesWhatWasInPlaceBefore() {
    SplittableRandom random = new SplittableRandom(3);
    try (InferenceEngine engine = engine();
        RadixKvCache cache = new RadixKvCache(EngineTestKit.config(engine, 16, KvDtype.F32))) {
      int[] tokens = randomTokens(random, 100, engine.model());
      KvRequest request = KvRequest.of(tokens);
      try (KvSequence sequence = cache.open(request)) {
        engine.forward(sequence, tokens, 0, 40);
        Segment rest = new Segment(sequence, tokens, 40, 100, Logits.LAST);
        try (SlicedPass pass = engine.begin(new ForwardPass(List.of(rest)))) {
          assertTrue(pass.advance().isEmpty());
        }
        assertEquals(40, sequence.length());
        sequence.commit(tokens);
      }
      cache.checkIntegrity();
      assertEquals(40, cache.cachedTokens(request).orElseThrow());
      try (KvSequence again = cache.open(request)) {
        float[] logits = engine.forward(again, tokens, 40, 100);
        assertLogits(stockLogits(engine.model(), tokens)[99], logits, "after it");
      }
    }
  }

  @Test
  void oneThatFailsLeavesAWorkingEngine() {
    SplittableRandom random = new SplittableRandom(4);
    RuntimeException failure = new RuntimeException("hook");
    try (InferenceEngine engine = engine()) {
      int[] tokens = randomTokens(random, 50, engine.model());
      KvSequence failing =
          new WatchedSequence(
              newSequence(engine),
              layer -> {
                if (layer == 1) {
                  throw failure;
                }
              });
      Segment segment = new Segment(failing, tokens, 0, 50, Logits.LAST);
      try (SlicedPass pass = engine.begin(new ForwardPass(List.of(segment)))) {
        assertTrue(pass.advance().isEmpty());
        assertSame(failure, assertThrows(RuntimeException.class, pass::advance));
      }
      Text next = new Text(engine, random, 150);
      assertEquals(
          engine.model().config().layers(),
          interleave(engine, List.of(next), new ArrayList<>(), random));
    }
  }

  @Test
  void whatCannotRunIsRefusedWhenItBegins() {
    int[] tokens = {1, 2, 3};
    try (InferenceEngine engine = engine();
        KvSequence sequence = newSequence(engine)) {
      Segment segment = new Segment(sequence, tokens, 1, 3, Logits.LAST);
      ForwardPass pass = new ForwardPass(List.of(segment));
      assertThrows(IllegalArgumentException.class, () -> engine.begin(pass));
      ForwardPass right =
          new ForwardPass(List.of(new Segment(sequence, tokens, 0, 3, Logits.LAST)));
      SlicedPass left = engine.begin(right);
      left.advance();
      engine.close();
      for (Runnable late : List.<Runnable>of(left::advance, () -> engine.begin(right))) {
        String error = assertThrows(IllegalStateException.class, late::run).getMessage();
        assertEquals("the engine was closed", error);
      }
      left.close();
    }
  }
}
