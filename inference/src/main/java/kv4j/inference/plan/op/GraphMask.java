package kv4j.inference.plan.op;

import java.util.Arrays;
import java.util.List;
import java.util.Map;
import kv4j.inference.pass.ForwardPass;
import kv4j.model.GraphNames;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.autodiff.samediff.internal.InferenceSession;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.indexing.NDArrayIndex;

/**
 * A graph's own mask, whatever it lets a row attend to (a sliding window, say): computed of the
 * whole sequence so far, of which the new rows are taken. That takes as many numbers as the square
 * of the tokens, so it is for graphs whose mask is not simply causal.
 */
final class GraphMask {
  /** What is added to a score at least where a row may not attend to a token. */
  private static final double MASKED = -1e4;

  private final SameDiff graph;
  private final String name;

  GraphMask(SameDiff graph, String name) {
    this.graph = graph;
    this.name = name;
  }

  /**
   * The mask of a segment's rows, {@code [rows, tokens]}.
   *
   * @throws IllegalArgumentException if it is of another shape, or lets a row attend to a later
   *     one: what was computed of the earlier one would have to be computed anew
   */
  INDArray of(ForwardPass.Segment segment) {
    int tokens = segment.to();
    int[] positions = new int[tokens];
    Arrays.setAll(positions, i -> i);
    INDArray ids = Nd4j.createFromArray(Arrays.copyOf(segment.tokens(), tokens));
    INDArray at = Nd4j.createFromArray(positions);
    INDArray whole =
        new InferenceSession(graph)
            .output(
                List.of(name),
                Map.of(GraphNames.TOKENS, ids, GraphNames.POSITIONS, at),
                null,
                List.of(),
                null,
                null)
            .get(name);
    if (whole.rank() != 2 || whole.size(0) != tokens || whole.size(1) != tokens) {
      throw new IllegalArgumentException(
          "the graph's mask %s of %d tokens has the shape %s, not [%d, %d]"
              .formatted(name, tokens, Arrays.toString(whole.shape()), tokens, tokens));
    }
    INDArray rows =
        whole.get(NDArrayIndex.interval(segment.from(), tokens), NDArrayIndex.all()).dup('c');
    float[] elements = rows.data().asFloat();
    for (int row = 0; row < segment.rows(); row++) {
      for (int token = segment.from() + row + 1; token < tokens; token++) {
        if (!(elements[row * tokens + token] <= MASKED)) {
          throw new IllegalArgumentException(
              "the graph's mask lets position %d attend to position %d: keys and values of a model"
                      .formatted(segment.from() + row, token)
                  + " that looks ahead cannot be cached");
        }
      }
    }
    return rows;
  }
}
