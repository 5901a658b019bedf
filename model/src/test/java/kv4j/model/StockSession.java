package kv4j.model;

import java.util.Map;
import java.util.stream.IntStream;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/** Runs whole sequences on SameDiff's own session. */
public final class StockSession {
  private StockSession() {}

  /** Logits {@code [tokens, vocabulary]}. */
  public static float[][] logits(SameDiff graph, int[] tokens) {
    return output(graph, tokens, GraphNames.LOGITS).toFloatMatrix();
  }

  public static INDArray output(SameDiff graph, int[] tokens, String name) {
    int[] positions = IntStream.range(0, tokens.length).toArray();
    Map<String, INDArray> inputs =
        Map.of(
            GraphNames.TOKENS, Nd4j.createFromArray(tokens),
            GraphNames.POSITIONS, Nd4j.createFromArray(positions));
    return graph.output(inputs, name).get(name);
  }

  public static int likeliest(float[] logits) {
    int best = 0;
    for (int i = 1; i < logits.length; i++) {
      if (logits[i] > logits[best]) {
        best = i;
      }
    }
    return best;
  }
}
