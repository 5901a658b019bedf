package kv4j.inference;

import static kv4j.inference.EngineTestKit.assertAllLogits;
import static kv4j.inference.EngineTestKit.graphLogits;
import static kv4j.inference.EngineTestKit.newSequence;
import static kv4j.inference.EngineTestKit.placeholders;
import static kv4j.inference.EngineTestKit.randomTokens;
import static kv4j.inference.EngineTestKit.stockLogits;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import kv4j.cache.KvSequence;
import kv4j.model.DemoModels;
import kv4j.model.GraphNames;
import kv4j.model.Model;
import kv4j.model.ModelPreset;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.autodiff.samediff.internal.InferenceSession;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/** Who runs a graph: the engine while it is open, and SameDiff's own session otherwise. */
class PlanSessionTest {
  private static final EngineOptions OPTIONS = new EngineOptions(2, 16);

  private Model model;
  private int[] tokens;
  private float[][] expected;

  @BeforeEach
  void createModel() {
    model = DemoModels.create(ModelPreset.TINY, 4);
    tokens = randomTokens(new SplittableRandom(4), 30, model);
    expected = stockLogits(model, tokens);
  }

  /** The class of the session that SameDiff has for this thread. */
  private static Class<?> sessionOf(SameDiff graph) {
    return graph.getSessions().get(Thread.currentThread().getId()).getClass();
  }

  private float[][] outputOfGraph() {
    return model
        .graph()
        .output(placeholders(tokens), GraphNames.LOGITS)
        .get(GraphNames.LOGITS)
        .toFloatMatrix();
  }

  @Test
  void aGraphThatIsNotOursKeepsSameDiffsOwnSession() {
    try (InferenceEngine engine = InferenceEngine.create(model, OPTIONS)) {
      SameDiff other = SameDiff.create();
      SDVariable x = other.placeHolder("x", DataType.FLOAT, 2);
      SDVariable w = other.var("w", Nd4j.createFromArray(10f, 100f));
      x.mul(w).add("logits", 1); // a name that ours have too
      INDArray result =
          other.output(Map.of("x", Nd4j.createFromArray(2f, 3f)), "logits").get("logits");
      assertArrayEquals(new float[] {21, 301}, result.toFloatVector());
      assertEquals(InferenceSession.class, sessionOf(other));

      assertAllLogits(expected, graphLogits(engine, tokens), "ours");
      assertEquals(PlanSession.class, sessionOf(model.graph()));
    }
  }

  @Test
  void aGraphThatRanBeforeItsEngineCameRunsThroughTheEngine() {
    outputOfGraph();
    assertEquals(InferenceSession.class, sessionOf(model.graph()));
    try (InferenceEngine engine = InferenceEngine.create(model, OPTIONS)) {
      assertAllLogits(expected, graphLogits(engine, tokens), "through the engine");
      assertEquals(PlanSession.class, sessionOf(model.graph()));
    }
  }

  @Test
  void otherOutputsOfOurGraphAreWhatTheStockSessionGives() {
    String name = GraphNames.inLayer(1, GraphNames.KEYS);
    INDArray stock =
        new InferenceSession(model.graph())
            .output(List.of(name), placeholders(tokens), null, List.of(), null, null)
            .get(name);
    try (InferenceEngine engine = InferenceEngine.create(model, OPTIONS)) {
      assertEquals(stock, model.graph().output(placeholders(tokens), name).get(name));
      Map<String, INDArray> both =
          model.graph().output(placeholders(tokens), GraphNames.LOGITS, name);
      assertEquals(stock, both.get(name));
      assertAllLogits(expected, both.get(GraphNames.LOGITS).toFloatMatrix(), "with others");
      assertAllLogits(expected, graphLogits(engine, tokens), "alone afterwards");
    }
  }

  @Test
  void afterTheEngineIsClosedTheGraphRunsAsBefore() {
    InferenceEngine engine = InferenceEngine.create(model, OPTIONS);
    graphLogits(engine, tokens);
    engine.close();
    assertArrayEquals(expected, outputOfGraph());
    EngineTestKit.inParallel(List.of(() -> assertArrayEquals(expected, outputOfGraph())));
  }

  @Test
  void threadsThatUseTheEngineLeaveNoSessionsBehind() throws InterruptedException {
    try (InferenceEngine engine = InferenceEngine.create(model, OPTIONS)) {
      int before = model.graph().getSessions().size();
      for (int i = 0; i < 50; i++) {
        Thread thread =
            new Thread(
                () -> {
                  try (KvSequence sequence = newSequence(engine)) {
                    engine.forward(sequence, tokens, 0, 5);
                  }
                });
        thread.start();
        thread.join();
      }
      assertEquals(before, model.graph().getSessions().size());
    }
  }

  @Test
  void aClosedEngineSaysSo() {
    InferenceEngine engine = InferenceEngine.create(model, OPTIONS);
    engine.close();
    try (KvSequence sequence = newSequence(engine)) {
      assertThrows(IllegalStateException.class, () -> engine.forward(sequence, tokens, 0, 5));
    }
  }

  @Test
  void aSecondEngineOnTheSameGraphWorksOnceTheFirstIsClosed() {
    InferenceEngine first = InferenceEngine.create(model, OPTIONS);
    assertThrows(IllegalStateException.class, () -> InferenceEngine.create(model, OPTIONS));
    assertAllLogits(expected, graphLogits(first, tokens), "first");
    first.close();
    try (InferenceEngine second = InferenceEngine.create(model, new EngineOptions(1, 7));
        KvSequence sequence = newSequence(second)) {
      first.close(); // again: must not take the graph from the second
      assertAllLogits(expected, graphLogits(second, tokens), "second");
      assertEquals(PlanSession.class, sessionOf(model.graph()));
      float[] last = second.forward(sequence, tokens, 0, tokens.length);
      EngineTestKit.assertLogits(expected[tokens.length - 1], last, "second");
    }
  }
}
