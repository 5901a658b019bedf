package kv4j.inference;

import static kv4j.inference.EngineTestKit.assertAllLogits;
import static kv4j.inference.EngineTestKit.assertLogits;
import static kv4j.inference.EngineTestKit.between;
import static kv4j.inference.EngineTestKit.forAll;
import static kv4j.inference.EngineTestKit.graphLogits;
import static kv4j.inference.EngineTestKit.newSequence;
import static kv4j.inference.EngineTestKit.randomModel;
import static kv4j.inference.EngineTestKit.randomOptions;
import static kv4j.inference.EngineTestKit.randomTokens;
import static kv4j.inference.EngineTestKit.randomUnfusedOptions;
import static kv4j.inference.EngineTestKit.stockLogits;

import java.util.Arrays;
import java.util.List;
import kv4j.cache.KvSequence;
import kv4j.inference.pass.ForwardPass;
import kv4j.model.DemoModels;
import kv4j.model.Model;
import kv4j.model.ModelPreset;
import org.junit.jupiter.api.Test;

/** The engine computes what SameDiff's own session computes from the same graph. */
class StockAgreementTest {
  @Test
  void graphOutputOfAnyModelEqualsTheStockSession() {
    forAll(
        25,
        random -> {
          Model model = randomModel(random);
          int[] tokens = randomTokens(random, between(random, 1, 150), model);
          float[][] expected = stockLogits(model, tokens);
          try (InferenceEngine engine = InferenceEngine.create(model, randomOptions(random))) {
            float[][] actual = graphLogits(engine, tokens);
            assertAllLogits(expected, actual, engine.options() + " " + model.name());
          }
        });
  }

  @Test
  void chunkedPrefillOfAnyModelEqualsTheStockSession() {
    forAll(
        15,
        random -> {
          Model model = randomModel(random);
          int[] tokens = randomTokens(random, between(random, 2, 150), model);
          float[][] expected = stockLogits(model, tokens);
          try (InferenceEngine engine = InferenceEngine.create(model, randomOptions(random));
              KvSequence sequence = newSequence(engine)) {
            for (int from = 0; from < tokens.length; ) {
              int to = between(random, from + 1, tokens.length);
              float[] actual = engine.forward(sequence, tokens, from, to);
              assertLogits(
                  expected[to - 1],
                  actual,
                  from + " to " + to + ", " + engine.options() + " " + model.name());
              from = to;
            }
          }
        });
  }

  @Test
  void anEngineThatFusesNothingEqualsTheStockSession() {
    forAll(
        5,
        random -> {
          Model model = randomModel(random);
          int[] tokens = randomTokens(random, between(random, 2, 100), model);
          float[][] expected = stockLogits(model, tokens);
          int cut = between(random, 1, tokens.length - 1);
          try (InferenceEngine engine =
                  InferenceEngine.create(model, randomUnfusedOptions(random));
              KvSequence sequence = newSequence(engine)) {
            String what = engine.options() + " " + model.name();
            assertAllLogits(expected, graphLogits(engine, tokens), what);
            assertLogits(expected[cut - 1], engine.forward(sequence, tokens, 0, cut), what);
            float[] last = engine.forward(sequence, tokens, cut, tokens.length);
            assertLogits(expected[tokens.length - 1], last, what);
          }
        });
  }

  @Test
  void everyRowOfAPassInPiecesEqualsTheStockSession() {
    forAll(
        10,
        random -> {
          Model model = randomModel(random);
          int[] tokens = randomTokens(random, between(random, 2, 150), model);
          float[][] expected = stockLogits(model, tokens);
          try (InferenceEngine engine = InferenceEngine.create(model, randomOptions(random));
              KvSequence sequence = newSequence(engine)) {
            for (int from = 0; from < tokens.length; ) {
              int to = between(random, from + 1, tokens.length);
              float[][] actual =
                  engine.forward(
                      new ForwardPass(
                          List.of(
                              new ForwardPass.Segment(
                                  sequence, tokens, from, to, ForwardPass.Logits.ALL))));
              assertAllLogits(Arrays.copyOfRange(expected, from, to), actual, from + " to " + to);
              from = to;
            }
          }
        });
  }

  @Test
  void aPassLongEnoughToBeSplitByRowsEqualsTheStockSession() {
    forAll(
        3,
        random -> {
          Model model = DemoModels.create(ModelPreset.TINY, random.nextLong());
          int[] tokens = randomTokens(random, between(random, 128, 400), model);
          float[][] expected = stockLogits(model, tokens);
          for (int threads = 1; threads <= 3; threads++) {
            try (InferenceEngine engine =
                InferenceEngine.create(model, new EngineOptions(threads, 256))) {
              float[][] actual = graphLogits(engine, tokens);
              assertAllLogits(expected, actual, threads + " threads");
            }
          }
        });
  }
}
