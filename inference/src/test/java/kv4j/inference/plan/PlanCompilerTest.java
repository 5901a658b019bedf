package kv4j.inference.plan;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.Map;
import kv4j.cache.KvCacheConfig;
import kv4j.cache.KvRequest;
import kv4j.cache.KvSequence;
import kv4j.cache.basic.RequestCacheProvider;
import kv4j.cache.block.KvDtype;
import kv4j.cache.block.KvLayout;
import kv4j.inference.Blas;
import kv4j.inference.kernel.Kernels;
import kv4j.inference.pass.ForwardPass;
import kv4j.inference.plan.graph.UnsupportedGraphException;
import kv4j.model.DemoModels;
import kv4j.model.GraphNames;
import kv4j.model.ModelPreset;
import kv4j.model.Positions;
import kv4j.model.TransformerConfig;
import kv4j.model.TransformerConfig.Block;
import kv4j.model.TransformerConfig.RopePairing;
import kv4j.model.TransformerGraph;
import kv4j.model.weight.WeightArrays;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.autodiff.samediff.internal.InferenceSession;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.factory.Nd4j;

class PlanCompilerTest {
  private static final TransformerConfig TINY = ModelPreset.TINY.config();
  private static final TransformerConfig SMALL =
      new TransformerConfig(3, 20, 3, 1, 6, 31, 77, 100, 1e-5f, 10_000, RopePairing.SPLIT, false);

  @BeforeAll
  static void oneBlasThread() {
    Blas.useOneThread();
  }

  private static SameDiff graph(TransformerConfig config) {
    return TransformerGraph.build(DemoModels.randomWeights(config, 1));
  }

  private static Plan compile(SameDiff graph, TransformerConfig config) {
    return PlanCompiler.compile(graph, config, Kernels.best(), 2, true, "");
  }

  private static ForwardPass pass(KvSequence sequence, int[] tokens, ForwardPass.Logits logits) {
    return new ForwardPass(
        List.of(new ForwardPass.Segment(sequence, tokens, 0, tokens.length, logits)));
  }

  private static KvSequence sequence(TransformerConfig config) {
    KvLayout layout =
        new KvLayout(config.layers(), config.kvHeads(), config.headDim(), 16, KvDtype.F32);
    return new RequestCacheProvider()
        .create(KvCacheConfig.of(layout, Long.MAX_VALUE))
        .open(KvRequest.of(0));
  }

  @Test
  void everyScopeOfTheTinyModelIsOneStep() {
    try (Plan plan = compile(graph(TINY), TINY)) {
      assertEquals(
          List.of(
              "embedding",
              "rms norm",
              "matmul layer_0/attention/qkv/out",
              "rotary",
              "hook, layer 0",
              "attention, layer 0",
              "matmul+add layer_0/attention/output/out",
              "rms norm",
              "matmul layer_0/ffn/gate_up/out",
              "swiglu",
              "matmul+add layer_0/ffn/down/out",
              "rms norm",
              "matmul layer_1/attention/qkv/out",
              "rotary",
              "hook, layer 1",
              "attention, layer 1",
              "select rows",
              "matmul+add layer_1/attention/output/out",
              "rms norm",
              "matmul layer_1/ffn/gate_up/out",
              "swiglu",
              "matmul+add layer_1/ffn/down/out",
              "rms norm",
              "matmul logits"),
          plan.describe());
    }
  }

  /**
   * Seven values, of which those whose lives do not overlap share a matrix; logits, of which there
   * are as many as asked for.
   */
  @Test
  void theArenaHoldsEachWidthOnceAndDoesNotGrowWithLayers() {
    int residual = 64;
    int normedOrAttended = 64;
    int qkv = (4 + 2 * 2) * 16;
    int gateUp = 2 * 176;
    int activated = 176;
    int logits = 258;
    int queries = 4 * 16;
    int keysAndValues = 2 * 2 * 16;
    int columns = residual + normedOrAttended + qkv + gateUp + activated + queries + keysAndValues;
    for (int layers : new int[] {1, 2, 5}) {
      TransformerConfig config =
          new TransformerConfig(
              layers, 64, 4, 2, 16, 176, 258, 2048, 1e-5f, 10_000, RopePairing.ADJACENT, false);
      try (Plan plan = compile(graph(config), config);
          KvSequence sequence = sequence(config)) {
        assertEquals(0, plan.arenaBytes());
        plan.run(pass(sequence, new int[100], ForwardPass.Logits.LAST));
        long bytes = (100L * columns + logits) * Float.BYTES;
        assertEquals(bytes, plan.arenaBytes());
        try (KvSequence shorter = sequence(config)) {
          plan.run(pass(shorter, new int[7], ForwardPass.Logits.ALL));
        }
        assertEquals(bytes + 6 * logits * Float.BYTES, plan.arenaBytes(), "reused");
      }
    }
  }

  @Test
  void aPassWithoutLogitsStillHandsAllLayersToTheCache() {
    try (Plan plan = compile(graph(TINY), TINY);
        KvSequence sequence = sequence(TINY)) {
      assertEquals(0, plan.run(pass(sequence, new int[9], ForwardPass.Logits.NONE)).length);
      assertEquals(9, sequence.length());
    }
  }

  /** The first layer's result is read again at the end, so no later sum may overwrite it. */
  @Test
  void aGraphWithALongSkipConnectionIsCompiledRight() {
    SameDiff graph = graph(SMALL);
    graph.renameVariable(GraphNames.LOGITS, "usual_logits");
    SDVariable early = graph.getVariable(GraphNames.inLayer(0, GraphNames.FFN_RESIDUAL));
    SDVariable sum = early.add("skip", graph.getVariable(GraphNames.FINAL_NORM));
    graph.mmul(GraphNames.LOGITS, sum, graph.getVariable(GraphNames.OUTPUT_WEIGHT));
    assertMatchesStock(graph, "add");
  }

  /** As training changes it: in the array that SameDiff gave. */
  @Test
  void aWeightThatWasChangedInPlaceCounts() {
    SameDiff graph = DemoModels.create("small", SMALL, 1).graph();
    String weight = GraphNames.inLayer(0, GraphNames.QKV_WEIGHT);
    assertTrue(WeightArrays.panels(graph, weight).isPresent());
    graph.getVariable(weight).getArr().muli(-0.5);
    graph.getVariable(GraphNames.TOKEN_EMBEDDING).getArr().muli(3);
    assertMatchesStock(graph, "rotary");
  }

  @Test
  void anOpThatHasNoStepRunsAsItIs() {
    SameDiff graph = graph(SMALL);
    graph.renameVariable(GraphNames.LOGITS, "usual_logits");
    graph.math().tanh(GraphNames.LOGITS, graph.getVariable("usual_logits"));
    assertMatchesStock(graph, "op tanh logits");
  }

  @Test
  void aScopeThatDiffersFromItsPatternRunsOpByOp() {
    SameDiff graph = graph(SMALL);
    graph.renameVariable(GraphNames.LOGITS, "usual_logits");
    SDVariable normed = graph.getVariable(GraphNames.FINAL_NORM);
    SDVariable clipped = graph.math().tanh("final_norm/clipped", normed);
    graph.mmul(GraphNames.LOGITS, clipped, graph.getVariable(GraphNames.OUTPUT_WEIGHT));
    assertMatchesStock(graph, "op tanh final_norm/clipped");
  }

  /** Logits of all rows and of the last alone, from a plan that has a certain step. */
  private static void assertMatchesStock(SameDiff graph, String step) {
    int[] tokens = {5, 76, 0, 31, 8, 8, 40};
    float[][] expected =
        new InferenceSession(graph)
            .output(
                List.of(GraphNames.LOGITS),
                Map.of(
                    GraphNames.TOKENS, Nd4j.createFromArray(tokens),
                    GraphNames.POSITIONS, Nd4j.createFromArray(0, 1, 2, 3, 4, 5, 6)),
                null,
                List.of(),
                null,
                null)
            .get(GraphNames.LOGITS)
            .toFloatMatrix();
    try (Plan plan = compile(graph, SMALL);
        KvSequence all = sequence(SMALL);
        KvSequence last = sequence(SMALL)) {
      assertTrue(plan.describe().contains(step), () -> plan.describe().toString());
      float[][] actual = plan.run(pass(all, tokens, ForwardPass.Logits.ALL));
      for (int row = 0; row < tokens.length; row++) {
        assertArrayEquals(expected[row], actual[row], 1e-3f, "row " + row);
      }
      float[][] one = plan.run(pass(last, tokens, ForwardPass.Logits.LAST));
      assertArrayEquals(expected[6], one[0], 1e-3f);
    }
  }

  @Test
  void aGraphThatIsNoTransformerIsRefused() {
    SameDiff graph = SameDiff.create();
    SDVariable x = graph.placeHolder("x", DataType.FLOAT, -1, 3);
    graph.mmul(GraphNames.LOGITS, x, graph.var("w", Nd4j.ones(3, 5)));
    assertThrows(UnsupportedGraphException.class, () -> compile(graph, TINY));
  }

  @Test
  void aClosedPlanRefusesToRun() {
    Plan plan = compile(graph(TINY), TINY);
    plan.close();
    plan.close();
    try (KvSequence sequence = sequence(TINY)) {
      assertThrows(
          IllegalStateException.class,
          () -> plan.run(pass(sequence, new int[3], ForwardPass.Logits.LAST)));
    }
  }

  @Test
  void everyFamilyIsFusedWhole() {
    Positions rotary = new Positions.Rotary(1e4f, RopePairing.SPLIT, Positions.Scaling.NONE);
    assertFused(rotary, Block.LLAMA, "matmul layer_0/attention/qkv/out", "rotary", "swiglu");
    assertFused(rotary, Block.QWEN2, "matmul+bias layer_0/attention/qkv/out", "rotary");
    assertFused(rotary, Block.QWEN3, "head norms, rotary");
    assertFused(
        new Positions.Learned(),
        Block.GPT2,
        "position embedding",
        "layer norm",
        "split",
        "gelu",
        "matmul+bias layer_0/ffn/up/out",
        "matmul+bias+add layer_0/ffn/down/out");
  }

  private static void assertFused(Positions positions, Block block, String... steps) {
    TransformerConfig config =
        new TransformerConfig(2, 20, 4, 2, 6, 31, 77, 100, 1e-5f, positions, block, true);
    try (Plan plan = compile(graph(config), config)) {
      List<String> described = plan.describe();
      assertTrue(
          described.stream().noneMatch(step -> step.startsWith("op ")), described.toString());
      assertTrue(described.containsAll(List.of(steps)), described.toString());
      assertTrue(plan.takesBatches());
    }
  }
}
