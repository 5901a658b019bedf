package kv4j.inference;

import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import kv4j.cache.KvCache;
import kv4j.cache.KvCacheConfig;
import kv4j.cache.KvRequest;
import kv4j.cache.KvSequence;
import kv4j.cache.basic.RequestCacheProvider;
import kv4j.cache.block.KvDtype;
import kv4j.cache.block.KvLayout;
import kv4j.inference.pass.ForwardPass;
import kv4j.inference.plan.Plan;
import kv4j.model.GraphNames;
import kv4j.model.Model;
import kv4j.model.TransformerConfig;
import org.nd4j.autodiff.samediff.internal.InferenceSession;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/**
 * Compares what a plan computes of a few tokens with what SameDiff's own session does, for graphs
 * that kv4j did not build: as a whole sequence, and with a past.
 */
final class GraphProbe {
  private static final int TOKENS = 11;
  private static final int[] PASSES = {5, 8, 9, TOKENS};
  private static final double TOLERANCE = 1e-4;

  private final Model model;
  private final int[] tokens;
  private final float[] expected;

  GraphProbe(Model model) {
    this.model = model;
    TransformerConfig config = model.config();
    int count = Math.min(TOKENS, config.context());
    tokens = new SplittableRandom(1).ints(count, 0, config.vocabulary()).toArray();
    int[] positions = new int[count];
    Arrays.setAll(positions, i -> i);
    Map<String, INDArray> placeholders =
        Map.of(
            GraphNames.TOKENS, Nd4j.createFromArray(tokens),
            GraphNames.POSITIONS, Nd4j.createFromArray(positions));
    INDArray logits =
        new InferenceSession(model.graph())
            .output(List.of(GraphNames.LOGITS), placeholders, null, List.of(), null, null)
            .get(GraphNames.LOGITS);
    if (logits.rank() != 2 || logits.size(0) != count || logits.size(1) != config.vocabulary()) {
      throw new IllegalArgumentException(
          "the graph's logits of %d tokens have the shape %s, not [%d, %d]"
              .formatted(count, Arrays.toString(logits.shape()), count, config.vocabulary()));
    }
    expected = logits.dup('c').data().asFloat();
    for (int i = 0; i < expected.length; i++) {
      if (!Float.isFinite(expected[i])) {
        throw new IllegalArgumentException(
            "the model's logits are not finite: at position %d that of token %d is %s"
                .formatted(i / config.vocabulary(), i % config.vocabulary(), expected[i]));
      }
    }
  }

  /** Whether the plan gives the same logits for a whole sequence. */
  boolean agreesOnWholes(Plan plan) {
    return agrees(plan, tokens.length);
  }

  /** Whether it does so too if a sequence is computed in several passes. */
  boolean agreesOnPasses(Plan plan) {
    return agrees(plan, PASSES);
  }

  private boolean agrees(Plan plan, int... ends) {
    TransformerConfig config = model.config();
    KvLayout layout =
        new KvLayout(
            config.layers(), config.kvHeads(), config.headDim(), KvLayout.TILE, KvDtype.F32);
    float[] logits = new float[expected.length];
    try (KvCache cache =
            new RequestCacheProvider().create(KvCacheConfig.of(layout, Long.MAX_VALUE));
        KvSequence sequence = cache.open(KvRequest.of(tokens))) {
      for (int end : ends) {
        int from = sequence.length();
        int to = Math.min(end, tokens.length);
        if (to > from) {
          float[][] rows =
              plan.run(
                  new ForwardPass(
                      List.of(
                          new ForwardPass.Segment(
                              sequence, tokens, from, to, ForwardPass.Logits.ALL))));
          for (int row = 0; row < rows.length; row++) {
            int at = (from + row) * config.vocabulary();
            System.arraycopy(rows[row], 0, logits, at, config.vocabulary());
          }
        }
      }
    }
    return isClose(logits);
  }

  private boolean isClose(float[] logits) {
    double largest = 1;
    for (float logit : expected) {
      largest = Math.max(largest, Math.abs(logit));
    }
    for (int i = 0; i < logits.length; i++) {
      if (!(Math.abs((double) logits[i] - expected[i]) <= TOLERANCE * largest)) {
        return false;
      }
    }
    return true;
  }
}
