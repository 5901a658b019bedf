package kv4j.inference.plan.graph;

import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.IntUnaryOperator;
import kv4j.model.GraphNames;
import kv4j.model.Positions;
import kv4j.model.TransformerConfig;
import kv4j.model.TransformerConfig.RopePairing;
import org.nd4j.linalg.api.ndarray.INDArray;

/** Checks the constants by which a graph turns query and key heads. */
final class RotaryConstants {
  private final GraphOps ops;
  private final TransformerConfig config;
  private final int pairs;
  private final Map<Object, Boolean> known = new HashMap<>(); // layers share constants

  RotaryConstants(GraphOps ops, TransformerConfig config) {
    this.ops = ops;
    this.config = config;
    pairs = config.headDim() / 2;
  }

  /**
   * Whether heads are turned in the pairs that the config names, by tables that have a row for each
   * position of the context.
   */
  boolean areRight(String quarterTurn, Expression.Match cos, Expression.Match sin) {
    return known.computeIfAbsent(
        List.of(quarterTurn, cos.values(), sin.values()), key -> check(quarterTurn, cos, sin));
  }

  private boolean check(String quarterTurn, Expression.Match cos, Expression.Match sin) {
    if (!(config.positions() instanceof Positions.Rotary rotary)) {
      return false;
    }
    boolean adjacent = rotary.pairing() == RopePairing.ADJACENT;
    IntUnaryOperator first = pair -> adjacent ? 2 * pair : pair;
    IntUnaryOperator second = pair -> adjacent ? 2 * pair + 1 : pair + pairs;
    return isQuarterTurn(ops.weight(quarterTurn), first, second)
        && isLookup(cos, first, second)
        && isLookup(sin, first, second);
  }

  /** {@code (a, b)} becomes {@code (-b, a)}. */
  private boolean isQuarterTurn(INDArray matrix, IntUnaryOperator first, IntUnaryOperator second) {
    int size = config.headDim();
    if (!hasShape(matrix, size, size)) {
      return false;
    }
    float[] expected = new float[size * size];
    for (int pair = 0; pair < pairs; pair++) {
      expected[second.applyAsInt(pair) * size + first.applyAsInt(pair)] = -1;
      expected[first.applyAsInt(pair) * size + second.applyAsInt(pair)] = 1;
    }
    return equals(matrix, expected);
  }

  /** Each pair's number of the row's position, for both of its elements in every head. */
  private boolean isLookup(
      Expression.Match lookup, IntUnaryOperator first, IntUnaryOperator second) {
    INDArray table = ops.weight(lookup.value("table"));
    INDArray spread = ops.weight(lookup.value("spread"));
    int heads = config.heads() + config.kvHeads();
    int width = heads * config.headDim();
    if (!lookup.value("positions").equals(GraphNames.POSITIONS)
        || table == null
        || table.rank() != 2
        || table.size(0) < config.context()
        || table.size(1) != pairs
        || !hasShape(spread, pairs, width)) {
      return false;
    }
    float[] expected = new float[pairs * width];
    for (int head = 0; head < heads; head++) {
      for (int pair = 0; pair < pairs; pair++) {
        int at = pair * width + head * config.headDim();
        expected[at + first.applyAsInt(pair)] = 1;
        expected[at + second.applyAsInt(pair)] = 1;
      }
    }
    return equals(spread, expected);
  }

  private static boolean hasShape(INDArray array, int rows, int columns) {
    return array != null && array.rank() == 2 && array.size(0) == rows && array.size(1) == columns;
  }

  private static boolean equals(INDArray array, float[] expected) {
    if (array.elementWiseStride() == 1 && array.ordering() == 'c') {
      return Arrays.equals(array.data().asFloat(), expected); // no copy outside the heap
    }
    try (INDArray copy = array.dup('c')) {
      return Arrays.equals(copy.data().asFloat(), expected);
    }
  }
}
