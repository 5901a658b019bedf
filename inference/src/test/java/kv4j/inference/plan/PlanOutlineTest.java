package kv4j.inference.plan;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import kv4j.inference.example.AlibiModelProvider;
import kv4j.inference.kernel.Kernels;
import kv4j.model.DemoModels;
import kv4j.model.GraphNames;
import kv4j.model.Model;
import kv4j.model.ModelPreset;
import kv4j.model.TransformerConfig;
import kv4j.model.TransformerConfig.RopePairing;
import kv4j.model.TransformerGraph;
import org.junit.jupiter.api.Test;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;

/** What people are told of a plan. */
class PlanOutlineTest {
  private static final TransformerConfig TINY = ModelPreset.TINY.config();
  private static final TransformerConfig FIVE_LAYERS =
      new TransformerConfig(5, 20, 3, 1, 6, 31, 77, 100, 1e-5f, 10_000, RopePairing.SPLIT, false);

  private static SameDiff graph(TransformerConfig config) {
    return TransformerGraph.build(DemoModels.randomWeights(config, 1));
  }

  private static List<String> outline(SameDiff graph, TransformerConfig config, boolean fuse) {
    try (Plan plan = PlanCompiler.compile(graph, config, Kernels.best(), 1, fuse, "")) {
      return plan.outline();
    }
  }

  private static void assertOutline(String expected, List<String> outline) {
    assertEquals(
        expected.replace("$kernels", Kernels.best().name()), String.join("\n", outline) + "\n");
  }

  private static String squeezed(List<String> outline) {
    return String.join("\n", outline).replaceAll(" +", " ");
  }

  @Test
  void everyScopeOfTheTinyModelIsFused() {
    assertOutline(
        """
        plan: 24 steps for the graph's 107 ops, 2 layers alike, all fused
        kernels: $kernels
          embedding                                embedding        for 1 op
          layers 0..1:
            attention/norm                         rms norm         fused from 6 ops
            attention/qkv                          matmul           for 1 op
            attention/rotary                       rotary           fused from 9 ops
            attention/core                         hook, attention  fused from 14 ops
            attention/output + attention/residual  matmul+add       fused from 2 ops
            ffn/norm                               rms norm         fused from 6 ops
            ffn/gate_up                            matmul           for 1 op
            ffn/activation                         swiglu           fused from 3 ops
            ffn/down + ffn/residual                matmul+add       fused from 2 ops
          final_norm                               rms norm         fused from 6 ops
          logits                                   matmul           for 1 op
          (after the last attention)               select rows
          left out, for no step reads them: rotary (6 ops), causal_mask (5 ops)
        """,
        outline(graph(TINY), TINY, true));
  }

  /** The ops of a scope with one too many run one by one; the others stay fused. */
  @Test
  void aScopeThatNoStepKnowsIsNamedWithWhatIsWrong() {
    SameDiff graph = graph(FIVE_LAYERS);
    graph.renameVariable(GraphNames.LOGITS, "usual_logits");
    SDVariable normed = graph.getVariable(GraphNames.FINAL_NORM);
    SDVariable clipped = graph.math().tanh("final_norm/clipped", normed);
    graph.mmul(GraphNames.LOGITS, clipped, graph.getVariable(GraphNames.OUTPUT_WEIGHT));
    List<String> outline = outline(graph, FIVE_LAYERS, true);
    assertEquals(
        "plan: 59 steps for the graph's 240 ops, 5 layers alike, 7 ops run one by one because"
            + " final_norm is no known norm, having also tanh",
        outline.get(0));
    assertTrue(
        squeezed(outline)
            .contains(
                """
                 final_norm stock ops 7 ops: reduce_sqnorm, 3 multiply, add, rsqrt, tanh
                 because it is no known norm, having also tanh
                 logits matmul for 1 op
                """),
        outline.toString());
  }

  @Test
  void layersThatDifferAreListedApart() {
    SameDiff graph = graph(FIVE_LAYERS);
    SDVariable activated = graph.getVariable(GraphNames.inLayer(2, GraphNames.ACTIVATION));
    SDVariable softened = graph.math().tanh("layer_2/softened", activated);
    graph.replaceArgFor(
        0, softened, graph.getVariableOutputOp(GraphNames.inLayer(2, GraphNames.DOWN)));
    List<String> outline = outline(graph, FIVE_LAYERS, true);
    assertTrue(
        outline
            .get(0)
            .endsWith(
                "5 layers of 2 kinds, 1 op runs by itself because softened has no step of its own"),
        outline.get(0));
    List<String> layers =
        outline.stream().filter(line -> line.endsWith(":")).map(String::strip).toList();
    assertEquals(List.of("layers 0..1, 3..4:", "layer 2:"), layers);
    assertEquals(1, outline.stream().filter(line -> line.contains("stock ops")).count());
  }

  /** Core and rotary hand each other arrays on the heap, so neither is fused alone. */
  @Test
  void rotaryIsFusedOnlyBesideAttention() {
    SameDiff graph = graph(FIVE_LAYERS);
    for (int layer = 0; layer < FIVE_LAYERS.layers(); layer++) {
      SDVariable attended = graph.getVariable(GraphNames.inLayer(layer, GraphNames.CORE));
      SDVariable more = graph.math().tanh("layer_" + layer + "/attention/core/more", attended);
      graph.replaceArgFor(
          0,
          more,
          graph.getVariableOutputOp(GraphNames.inLayer(layer, GraphNames.ATTENTION_OUTPUT)));
    }
    List<String> outline = outline(graph, FIVE_LAYERS, true);
    assertTrue(
        outline
            .get(0)
            .endsWith(
                "5 layers alike, 113 ops run one by one because of rotary, causal_mask,"
                    + " attention/rotary, attention/core"),
        outline.get(0));
    String all = squeezed(outline);
    assertTrue(all.contains("because it has a step only beside that of core"), all);
    assertTrue(all.contains("because it is no known core, having also tanh"), all);
    assertTrue(all.contains("hook for stock attention fused from 2 ops"), all);
  }

  @Test
  void withoutFusingEveryOpIsStock() {
    List<String> outline = outline(graph(TINY), TINY, false);
    assertEquals(
        "plan: 102 steps for the graph's 107 ops, 2 layers alike, 99 ops run one by one because"
            + " steps of kv4j's own are off: they run on a CPU only",
        outline.get(0));
    assertTrue(outline.stream().noneMatch(line -> line.contains("because it")));
    List<String> own =
        outline.stream()
            .filter(line -> line.contains("fused from") || line.contains("for 1 op"))
            .map(line -> line.strip().replaceAll(" +", " "))
            .toList();
    assertEquals(
        List.of(
            "causal_mask causal mask for 1 op",
            "attention/core hook for stock attention fused from 2 ops"),
        own);
  }

  /** Nearly all its ops have generated names and no scope. */
  @Test
  void aGraphWithoutScopesIsListedShortly() {
    Model model = new AlibiModelProvider().create("1");
    List<String> outline = outline(model.graph(), model.config(), true);
    assertEquals(
        "plan: 78 steps for the graph's 90 ops, 3 layers alike, 54 ops run one by one because of"
            + " ops without a scope",
        outline.get(0));
    assertTrue(outline.size() < 25, outline.toString());
    String all = squeezed(outline);
    assertTrue(all.contains("hook for stock attention fused from 2 ops"), all);
    assertTrue(all.contains("because it is no product of rows with a matrix of weights"), all);
  }
}
