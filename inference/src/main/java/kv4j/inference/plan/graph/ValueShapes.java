package kv4j.inference.plan.graph;

import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import kv4j.model.GraphNames;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.autodiff.samediff.internal.InferenceSession;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/**
 * The shapes of a graph's values, -1 where a dimension is the number of rows. SameDiff does not
 * know them before it runs the graph, so two short runs tell.
 */
public final class ValueShapes {
  private static final int FEW = 3;
  private static final int MORE = 5;

  private final Map<String, long[]> shapes;

  private ValueShapes(Map<String, long[]> shapes) {
    this.shapes = shapes;
  }

  /** For graphs of known scopes only: every value is {@code [rows, columns]}. */
  public static ValueShapes assumed() {
    return new ValueShapes(null);
  }

  /** Runs the graph with SameDiff's own session on a few tokens, twice. */
  public static ValueShapes probed(SameDiff graph, GraphOps ops) {
    Map<String, long[]> few = run(graph, ops, FEW);
    Map<String, long[]> more = run(graph, ops, MORE);
    Map<String, long[]> shapes = new HashMap<>();
    few.forEach((name, shape) -> shapes.put(name, common(shape, more.get(name))));
    return new ValueShapes(shapes);
  }

  private static Map<String, long[]> run(SameDiff graph, GraphOps ops, int rows) {
    int[] positions = new int[rows];
    Arrays.setAll(positions, i -> i);
    INDArray tokens = Nd4j.createFromArray(new int[rows]);
    INDArray at = Nd4j.createFromArray(positions);
    List<String> names = ops.nodes().stream().flatMap(n -> n.outputs().stream()).toList();
    Map<String, INDArray> placeholders =
        Map.of(GraphNames.TOKENS, tokens, GraphNames.POSITIONS, at);
    Map<String, long[]> shapes = new HashMap<>();
    new InferenceSession(graph)
        .output(names, placeholders, null, List.of(), null, null)
        .forEach((name, array) -> shapes.put(name, array.shape()));
    return shapes;
  }

  private static long[] common(long[] few, long[] more) {
    if (more == null || more.length != few.length) {
      return null;
    }
    long[] shape = few.clone();
    for (int i = 0; i < shape.length; i++) {
      if (few[i] != more[i]) {
        if (few[i] != FEW || more[i] != MORE) {
          return null; // depends on the rows in a way no register can follow
        }
        shape[i] = -1;
      }
    }
    return shape;
  }

  /** The shape of a value; null if unknown. */
  public long[] of(String name) {
    return shapes == null ? null : shapes.get(name);
  }

  /** Whether a value is {@code [rows, columns]}. */
  public boolean isRows(String name) {
    return shapes == null || isRows(shapes.get(name));
  }

  private static boolean isRows(long[] shape) {
    return shape != null && shape.length == 2 && shape[0] == -1 && shape[1] > 0;
  }

  /** Columns of a value of {@code [rows, columns]}, or -1. */
  public int columns(String name) {
    long[] shape = of(name);
    return isRows(shape) ? (int) shape[1] : -1;
  }
}
