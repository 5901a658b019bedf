package kv4j.inference;

import static kv4j.inference.EngineTestKit.randomTokens;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.TreeSet;
import java.util.function.Consumer;
import java.util.stream.Stream;
import kv4j.cache.KvCache;
import kv4j.cache.KvCacheConfig;
import kv4j.cache.KvRequest;
import kv4j.cache.KvSequence;
import kv4j.cache.block.KvDtype;
import kv4j.cache.radix.RadixKvCache;
import kv4j.inference.pass.ForwardPass;
import kv4j.model.ByteTokenizer;
import kv4j.model.DemoModels;
import kv4j.model.GraphNames;
import kv4j.model.Model;
import kv4j.model.Positions;
import kv4j.model.TransformerConfig;
import kv4j.model.TransformerConfig.Block;
import kv4j.model.TransformerConfig.RopePairing;
import kv4j.model.TransformerGraph;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.autodiff.samediff.internal.InferenceSession;
import org.nd4j.autodiff.samediff.internal.SameDiffOp;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.factory.Nd4j;

/**
 * Graphs with the names of kv4j's own that compute something else: each is computed as it says, or
 * refused; never as if it were kv4j's.
 */
class GraphVariantsTest {
  private static final int TOKENS = 23;

  /** With a group of query heads for each KV head. */
  private static final TransformerConfig LLAMA =
      new TransformerConfig(2, 24, 4, 2, 6, 40, 61, 64, 1e-5f, 100, RopePairing.ADJACENT, false);

  private static final TransformerConfig GPT2 =
      new TransformerConfig(
          2, 24, 4, 4, 6, 40, 61, 64, 1e-5f, new Positions.Learned(), Block.GPT2, true);

  private static SameDiff graph(TransformerConfig config) {
    return TransformerGraph.build(DemoModels.randomWeights(config, 3));
  }

  private static Model model(TransformerConfig config, SameDiff graph) {
    return Model.ofGraph("variant", config, graph, new ByteTokenizer(), "bytes");
  }

  private static void scale(SameDiff graph, String constant, double factor) {
    graph.getVariable(constant).getArr().muli(factor);
  }

  /** Swaps two inputs of an op. */
  private static void swap(SameDiff graph, String result) {
    SameDiffOp op = graph.getOps().get(graph.getVariables().get(result).getOutputOfOp());
    List<String> inputs = new ArrayList<>(op.getInputsToOp());
    Collections.swap(inputs, 0, 1);
    op.setInputsToOp(inputs);
  }

  /** Puts another value in place of what the causal mask was. */
  private static void remask(SameDiff graph, MaskMaker maker) {
    List<SameDiffOp> readers =
        graph.getOps().values().stream()
            .filter(op -> op.getInputsToOp().contains(GraphNames.CAUSAL_MASK))
            .toList();
    graph.renameVariable(GraphNames.CAUSAL_MASK, "plain_mask");
    SDVariable positions = graph.getVariable(GraphNames.POSITIONS);
    SDVariable made = maker.make(graph, graph.getVariable("plain_mask"), positions);
    SDVariable mask = graph.identity(GraphNames.CAUSAL_MASK, made);
    for (SameDiffOp reader : readers) {
      int at = reader.getInputsToOp().indexOf("plain_mask");
      graph.replaceArgFor(at, mask, reader.getOp());
    }
  }

  private interface MaskMaker {
    SDVariable make(SameDiff graph, SDVariable causal, SDVariable positions);
  }

  /** {@code [rows, rows]}: how far back a column's position lies. */
  private static SDVariable distance(SameDiff graph, SDVariable positions) {
    return graph.castTo(
        graph.expandDims(positions, 1).sub(graph.expandDims(positions, 0)), DataType.FLOAT);
  }

  private static SDVariable window(SameDiff graph, SDVariable causal, SDVariable positions) {
    SDVariable far = graph.gt(distance(graph, positions), 6.5);
    return causal.add(graph.castTo(far, DataType.FLOAT).mul(graph.constant(-1e9f)));
  }

  private static SDVariable bias(SameDiff graph, SDVariable causal, SDVariable positions) {
    return causal.sub(distance(graph, positions).mul(graph.constant(0.25f)));
  }

  private static Map<String, Consumer<SameDiff>> common() {
    Map<String, Consumer<SameDiff>> variants = new LinkedHashMap<>();
    variants.put("scale", graph -> scale(graph, "score_factor", 1.7));
    variants.put("mean factor", graph -> scale(graph, "norm_mean_factor", 0.5));
    variants.put("epsilon", graph -> scale(graph, "norm_epsilon", 1e4));
    variants.put("sliding window", graph -> remask(graph, GraphVariantsTest::window));
    variants.put("biased mask", graph -> remask(graph, GraphVariantsTest::bias));
    variants.put(
        "weak mask", graph -> graph.getVariable("causal_mask/masked").getArr().assign(-2e4));
    variants.put("mask of the past", graph -> swap(graph, "causal_mask/greater"));
    variants.put("no mask", graph -> graph.getVariable("causal_mask/masked").getArr().assign(0));
    return variants;
  }

  private static Map<String, Consumer<SameDiff>> ofLlama() {
    Map<String, Consumer<SameDiff>> variants = common();
    variants.put(
        "gate and up swapped",
        graph -> {
          String split = "layer_1/ffn/activation/split";
          SameDiffOp swish =
              graph
                  .getOps()
                  .get(graph.getVariables().get("layer_1/ffn/activation/swish").getOutputOfOp());
          graph.replaceArgFor(0, graph.getVariable(split + ":1"), swish.getOp());
          SameDiffOp product =
              graph
                  .getOps()
                  .get(graph.getVariables().get("layer_1/ffn/activation/out").getOutputOfOp());
          graph.replaceArgFor(1, graph.getVariable(split), product.getOp());
        });
    variants.put("turned the other way", graph -> scale(graph, "rotary/quarter_turn", -1));
    variants.put("other angles", graph -> scale(graph, GraphNames.SIN_TABLE, 0.5));
    variants.put("product in the other order", graph -> swap(graph, "layer_0/ffn/activation/out"));
    return variants;
  }

  private static Map<String, Consumer<SameDiff>> ofGpt2() {
    Map<String, Consumer<SameDiff>> variants = common();
    variants.put("cubic", graph -> scale(graph, "gelu_cubic", 1.01));
    variants.put("linear", graph -> scale(graph, "gelu_linear", 0.99));
    variants.put("mean added", graph -> swap(graph, "layer_1/ffn/norm/subtract"));
    return variants;
  }

  private record Case(TransformerConfig config, Set<String> names, List<Consumer<SameDiff>> all) {
    @Override
    public String toString() {
      return config.block().norm() + ": " + String.join(", ", names);
    }
  }

  static Stream<Case> aloneAndInPairs() {
    return Stream.concat(cases(LLAMA, ofLlama()), cases(GPT2, ofGpt2()));
  }

  private static Stream<Case> cases(
      TransformerConfig config, Map<String, Consumer<SameDiff>> variants) {
    List<String> names = List.copyOf(variants.keySet());
    List<Case> cases = new ArrayList<>();
    for (int i = 0; i < names.size(); i++) {
      for (int j = i; j < names.size(); j++) {
        Set<String> both = new TreeSet<>(Set.of(names.get(i)));
        both.add(names.get(j));
        boolean twoMasks =
            both.size() == 2
                && both.stream().allMatch(n -> n.contains("mask") || n.contains("window"));
        if (!twoMasks) {
          cases.add(new Case(config, both, both.stream().map(variants::get).toList()));
        }
      }
    }
    return cases.stream();
  }

  @ParameterizedTest
  @MethodSource("aloneAndInPairs")
  void isComputedAsItSaysOrRefused(Case variant) {
    SameDiff graph = graph(variant.config);
    variant.all.forEach(change -> change.accept(graph));
    boolean looksAhead =
        variant.names.contains("no mask") || variant.names.contains("mask of the past");
    Model model = model(variant.config, graph);
    if (looksAhead) {
      String refusal =
          assertThrows(
                  IllegalArgumentException.class,
                  () -> InferenceEngine.create(model, new EngineOptions(2, 64)))
              .getMessage();
      assertTrue(refusal.contains("cannot be cached"), refusal);
      return;
    }
    int[] tokens = randomTokens(new SplittableRandom(8), TOKENS, model);
    float[] stock = stock(graph, tokens, variant.config);
    try (InferenceEngine engine = InferenceEngine.create(model, new EngineOptions(2, 64));
        KvCache cache =
            new RadixKvCache(KvCacheConfig.of(engine.layout(16, KvDtype.F32), 1 << 24))) {
      check(engine, cache, tokens, stock, TOKENS);
      check(engine, cache, tokens, stock, 7); // on what was cached, in passes of a few
      String plan = String.join("\n", engine.describePlan());
      boolean sameAsOurs =
          Set.of("epsilon", "scale", "other angles", "product in the other order")
              .containsAll(variant.names);
      assertEquals(sameAsOurs, plan.contains("all fused"), plan);
    }
  }

  private static float[] stock(SameDiff graph, int[] tokens, TransformerConfig config) {
    int[] positions = new int[tokens.length];
    Arrays.setAll(positions, i -> i);
    return new InferenceSession(graph)
        .output(
            List.of(GraphNames.LOGITS),
            Map.of(
                GraphNames.TOKENS, Nd4j.createFromArray(tokens),
                GraphNames.POSITIONS, Nd4j.createFromArray(positions)),
            null,
            List.of(),
            null,
            null)
        .get(GraphNames.LOGITS)
        .dup('c')
        .data()
        .asFloat();
  }

  private static void check(
      InferenceEngine engine, KvCache cache, int[] tokens, float[] stock, int chunk) {
    int vocabulary = engine.model().config().vocabulary();
    try (KvSequence sequence = cache.open(KvRequest.of(tokens))) {
      double largest = 1;
      for (float logit : stock) {
        largest = Math.max(largest, Math.abs(logit));
      }
      while (sequence.length() < tokens.length) {
        int from = sequence.length();
        int to = Math.min(tokens.length, from + chunk);
        float[][] logits =
            engine.forward(
                new ForwardPass(
                    List.of(
                        new ForwardPass.Segment(
                            sequence, tokens, from, to, ForwardPass.Logits.ALL))));
        for (int row = from; row < to; row++) {
          for (int i = 0; i < vocabulary; i++) {
            assertEquals(
                stock[row * vocabulary + i],
                logits[row - from][i],
                1e-4 * largest,
                "position " + row + " after " + from);
          }
        }
      }
      sequence.commit(tokens);
    }
  }

  @Test
  void eachVariantIsAnother() {
    Set<List<Float>> seen = new HashSet<>();
    for (TransformerConfig config : List.of(LLAMA, GPT2)) {
      Map<String, Consumer<SameDiff>> variants = config == LLAMA ? ofLlama() : ofGpt2();
      variants.remove("product in the other order"); // which is none
      for (Consumer<SameDiff> change : variants.values()) {
        SameDiff graph = graph(config);
        change.accept(graph);
        int[] tokens = new SplittableRandom(8).ints(TOKENS, 0, config.vocabulary()).toArray();
        float[] logits = stock(graph, tokens, config);
        List<Float> all = new ArrayList<>();
        for (float logit : logits) {
          all.add(logit);
        }
        seen.add(all);
      }
    }
    assertEquals(ofLlama().size() - 1 + ofGpt2().size(), seen.size());
  }

  @Test
  void aScopeIsNotFusedIfSomebodyElseReadsWhatItComputesOnTheWay() {
    SameDiff graph = graph(LLAMA);
    SDVariable inside = graph.getVariable("layer_0/attention/norm/rsqrt");
    graph.renameVariable(GraphNames.LOGITS, "plain_logits");
    graph.getVariable("plain_logits").add(GraphNames.LOGITS, inside);
    Model model = model(LLAMA, graph);
    int[] tokens = randomTokens(new SplittableRandom(8), TOKENS, model);
    float[] stock = stock(graph, tokens, LLAMA);
    try (InferenceEngine engine = InferenceEngine.create(model, new EngineOptions(2, 64));
        KvCache cache =
            new RadixKvCache(KvCacheConfig.of(engine.layout(16, KvDtype.F32), 1 << 24))) {
      check(engine, cache, tokens, stock, 5);
    }
  }

  @Test
  void aGraphOfOursIsRefusedIfAChangeMadeRowsDependOnOthers() {
    Model model =
        Model.of("changed", DemoModels.randomWeights(LLAMA, 3), new ByteTokenizer(), "bytes");
    SameDiff graph = model.graph();
    graph.renameVariable(GraphNames.LOGITS, "plain_logits");
    SDVariable ofAllRows = graph.getVariable("layer_0/attention/norm/rsqrt").mean(true, 0);
    graph.getVariable("plain_logits").add(GraphNames.LOGITS, ofAllRows);
    String refusal =
        assertThrows(
                IllegalArgumentException.class,
                () -> InferenceEngine.create(model, new EngineOptions(2, 64)))
            .getMessage();
    assertTrue(refusal.contains("cannot be cached"), refusal);
  }

  @Test
  void aGraphWhoseLogitsAreNoNumbersIsRefusedForThat() {
    SameDiff graph = graph(LLAMA);
    graph.getVariable("layer_0/attention/norm/gain").getArr().putScalar(3, Double.NaN);
    Model model = model(LLAMA, graph);
    String refusal =
        assertThrows(
                IllegalArgumentException.class,
                () -> InferenceEngine.create(model, new EngineOptions(2, 64)))
            .getMessage();
    assertTrue(refusal.contains("not finite: at position 0"), refusal);
  }
}
