package kv4j.inference;

import static kv4j.inference.EngineTestKit.assertLogits;
import static kv4j.inference.EngineTestKit.between;
import static kv4j.inference.EngineTestKit.forAll;
import static kv4j.inference.EngineTestKit.newSequence;
import static kv4j.inference.EngineTestKit.oneOf;
import static kv4j.inference.EngineTestKit.randomModel;
import static kv4j.inference.EngineTestKit.randomOptions;
import static kv4j.inference.EngineTestKit.randomTokens;
import static kv4j.inference.EngineTestKit.stockLogits;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.function.Function;
import kv4j.cache.KvRequest;
import kv4j.cache.KvSequence;
import kv4j.cache.block.KvDtype;
import kv4j.cache.radix.RadixKvCache;
import kv4j.inference.pass.ForwardPass;
import kv4j.inference.pass.ForwardPass.Logits;
import kv4j.inference.pass.ForwardPass.Segment;
import kv4j.model.Model;
import kv4j.model.TransformerConfig;
import kv4j.model.TransformerConfig.RopePairing;
import org.junit.jupiter.api.Test;

/** Several sequences in one forward pass. */
class RaggedBatchTest {
  /** A sequence, its text, what each position's logits are alone, and how far it has come. */
  private static final class Running {
    private final KvSequence sequence;
    private final int[] tokens;
    private final float[][] alone;
    private int done;

    Running(InferenceEngine engine, SplittableRandom random) {
      sequence = newSequence(engine);
      tokens = randomTokens(random, between(random, 1, 120), engine.model());
      alone = stockLogits(engine.model(), tokens);
    }
  }

  @Test
  void eachSequenceOfABatchGetsWhatItGetsAlone() {
    checkBatches(8, EngineTestKit::randomOptions);
  }

  @Test
  void theSameHoldsWhereNothingIsFused() {
    checkBatches(2, EngineTestKit::randomUnfusedOptions);
  }

  private static void checkBatches(int cases, Function<SplittableRandom, EngineOptions> options) {
    forAll(
        cases,
        random -> {
          Model model = randomModel(random);
          try (InferenceEngine engine = InferenceEngine.create(model, options.apply(random))) {
            List<Running> all = new ArrayList<>();
            for (int i = between(random, 2, 6); i > 0; i--) {
              all.add(new Running(engine, random));
            }
            while (!all.isEmpty()) {
              runSome(engine, all, random);
              all.removeIf(running -> running.done == running.tokens.length);
            }
          }
        });
  }

  /** One pass over the next tokens of some sequences, with logits of some rows. */
  private static void runSome(InferenceEngine engine, List<Running> all, SplittableRandom random) {
    List<Segment> segments = new ArrayList<>();
    List<float[]> expected = new ArrayList<>();
    for (Running running : all) {
      if (!segments.isEmpty() && random.nextInt(4) == 0) {
        continue;
      }
      int from = running.done;
      int to = between(random, from + 1, running.tokens.length);
      Logits logits = oneOf(random, List.of(Logits.values()));
      segments.add(new Segment(running.sequence, running.tokens, from, to, logits));
      for (int row = from; row < to; row++) {
        if (logits == Logits.ALL || logits == Logits.LAST && row == to - 1) {
          expected.add(running.alone[row]);
        }
      }
      running.done = to;
    }
    float[][] actual = engine.forward(new ForwardPass(segments));
    assertEquals(expected.size(), actual.length);
    for (int i = 0; i < actual.length; i++) {
      assertLogits(expected.get(i), actual[i], "row " + i + " of " + segments);
    }
    segments.forEach(segment -> assertEquals(segment.to(), segment.sequence().length()));
  }

  /** Sequences of a radix cache whose first blocks are the same, in passes of one row each. */
  @Test
  void sequencesThatShareBlocksGetWhatEachGetsAlone() {
    forAll(
        6,
        random -> {
          TransformerConfig shape =
              new TransformerConfig(
                  2, 64, 4, 2, 32, 90, 60, 200, 1e-5f, 10_000f, RopePairing.SPLIT, true);
          Model model = randomModel(shape, random);
          EngineOptions options = new EngineOptions(between(random, 1, 3), 64);
          try (InferenceEngine engine = InferenceEngine.create(model, options);
              RadixKvCache cache =
                  new RadixKvCache(EngineTestKit.config(engine, 16, KvDtype.F32))) {
            int[] text = randomTokens(random, 150, model);
            new Generator(engine, cache).generate(GenerationRequest.greedy(text, 1));
            checkShared(engine, cache, text, random);
          }
        });
  }

  private static void checkShared(
      InferenceEngine engine, RadixKvCache cache, int[] text, SplittableRandom random) {
    int decoded = 5;
    List<KvSequence> sequences = new ArrayList<>();
    List<int[]> texts = new ArrayList<>();
    for (int i = between(random, 2, 9); i > 0; i--) {
      int same = between(random, 0, 9) * 16;
      int[] own = randomTokens(random, between(random, decoded + 1, 20), engine.model());
      own[0] = (text[same] + 1) % engine.model().config().vocabulary(); // no more than that
      int[] all = EngineTestKit.concat(Arrays.copyOf(text, same), own);
      KvSequence sequence = cache.open(KvRequest.of(all).withModel(engine.model().fingerprint()));
      engine.forward(sequence, all, sequence.length(), all.length - decoded);
      sequences.add(sequence);
      texts.add(all);
    }
    for (int step = decoded; step > 0; step--) {
      List<Segment> segments = new ArrayList<>();
      for (int i = 0; i < sequences.size(); i++) {
        int to = texts.get(i).length - step + 1;
        segments.add(new Segment(sequences.get(i), texts.get(i), to - 1, to, Logits.LAST));
      }
      float[][] logits = engine.forward(new ForwardPass(segments));
      for (int i = 0; i < sequences.size(); i++) {
        float[][] alone = stockLogits(engine.model(), texts.get(i));
        assertLogits(alone[alone.length - step], logits[i], "sequence " + i + ", step " + step);
      }
    }
    sequences.forEach(KvSequence::close);
  }

  @Test
  void refusesPassesThatMakeNoSense() {
    SplittableRandom random = new SplittableRandom(1);
    Model model = randomModel(random);
    try (InferenceEngine engine = InferenceEngine.create(model, randomOptions(random));
        KvSequence sequence = newSequence(engine)) {
      int[] tokens = new int[5];
      assertThrows(IllegalArgumentException.class, () -> new ForwardPass(List.of()));
      for (int[] range : new int[][] {{-1, 2}, {2, 2}, {3, 2}, {0, 6}}) {
        assertThrows(
            IllegalArgumentException.class,
            () -> new Segment(sequence, tokens, range[0], range[1], Logits.LAST));
      }
    }
  }
}
