package kv4j.inference.plan;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import kv4j.model.GraphNames;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.api.ops.CustomOp;

/**
 * Ops that become one step: a scope whose ops are those the step stands for, or a single op.
 *
 * @param kind what it does
 * @param nodes its ops in running order
 * @param reads values that the step reads (fewer than the ops do), weights apart
 * @param writes values that ops outside may read
 * @param weight the weight it uses, or null
 * @param transposed whether the weight is {@code [out, in]}
 */
record Unit(
    Kind kind,
    List<GraphOps.Node> nodes,
    List<String> reads,
    List<String> writes,
    String weight,
    boolean transposed) {
  enum Kind {
    EMBEDDING,
    /** A row of a table for each row's position. */
    POSITION_EMBEDDING,
    NORM,
    LAYER_NORM,
    MATMUL,
    ROTARY,
    /** With a norm of each query and key head. */
    NORMED_ROTARY,
    /** Queries, keys and values without rotation. */
    SPLIT,
    CORE,
    SWIGLU,
    GELU,
    ADD,
    /** The causal mask, which depends on the past where there is one. */
    MASK,
    /** The two ops where a cache plugs in, of attention that has no step of its own. */
    HOOK,
    OTHER
  }

  /** The only value written. */
  String output() {
    return writes.get(writes.size() - 1);
  }

  String describe() {
    return nodes.get(0).type() + " " + output();
  }

  /**
   * All of a graph's ops as units, in running order.
   *
   * @param shapes of the values
   * @param fuse whether scopes and ops get steps of their own where there are some
   */
  static List<Unit> group(GraphOps ops, ValueShapes shapes, boolean fuse) {
    Map<String, List<GraphOps.Node>> scopes = new LinkedHashMap<>();
    for (GraphOps.Node node : ops.nodes()) {
      scopes.computeIfAbsent(node.scope(), key -> new ArrayList<>()).add(node);
    }
    Map<String, Unit> fused = fuse ? ScopePatterns.matchAll(ops, scopes) : Map.of();
    List<Unit> units = new ArrayList<>();
    Map<String, GraphOps.Node> halfHooks = new HashMap<>();
    for (GraphOps.Node node : ops.nodes()) {
      Unit scope = fused.get(node.scope());
      if (scope != null) {
        if (node == scope.nodes().get(scope.nodes().size() - 1)) {
          units.add(scope);
        }
      } else if (node.output().equals(GraphNames.CAUSAL_MASK)) {
        units.add(new Unit(Kind.MASK, List.of(node), List.of(), node.outputs(), null, false));
      } else if (isHook(node)) {
        GraphOps.Node other = halfHooks.put(node.scope(), node);
        if (other != null) {
          units.add(hook(node, other));
        }
      } else {
        units.add(single(ops, shapes, node, fuse));
      }
    }
    return units;
  }

  private static boolean isHook(GraphOps.Node node) {
    return node.output().endsWith(GraphNames.CORE_KEYS)
        || node.output().endsWith(GraphNames.CORE_VALUES);
  }

  /** Reads and writes keys first, then values. */
  private static Unit hook(GraphOps.Node one, GraphOps.Node other) {
    boolean keysFirst = one.output().endsWith(GraphNames.CORE_KEYS);
    GraphOps.Node keys = keysFirst ? one : other;
    GraphOps.Node values = keysFirst ? other : one;
    return new Unit(
        Kind.HOOK,
        List.of(keys, values),
        List.of(keys.inputs().get(0), values.inputs().get(0)),
        List.of(keys.output(), values.output()),
        null,
        false);
  }

  private static Unit single(GraphOps ops, ValueShapes shapes, GraphOps.Node node, boolean fuse) {
    List<String> inputs = node.inputs();
    switch (fuse ? node.type() : "") {
      case "gather" -> {
        boolean byToken = inputs.get(1).equals(GraphNames.TOKENS);
        if (isMatrix(ops, inputs.get(0))
            && (byToken || inputs.get(1).equals(GraphNames.POSITIONS))) {
          Kind kind = byToken ? Kind.EMBEDDING : Kind.POSITION_EMBEDDING;
          return new Unit(kind, List.of(node), List.of(), node.outputs(), inputs.get(0), false);
        }
      }
      case "matmul" -> {
        Unit product = matmul(ops, node);
        if (product != null && isValue(ops, shapes, inputs.get(0))) {
          return product;
        }
      }
      case "add" -> {
        if (inputs.size() == 2
            && isValue(ops, shapes, inputs.get(0))
            && isValue(ops, shapes, inputs.get(1))) {
          return new Unit(Kind.ADD, List.of(node), inputs, node.outputs(), null, false);
        }
      }
      default -> {}
    }
    return new Unit(Kind.OTHER, List.of(node), inputs, node.outputs(), null, false);
  }

  /** The unit of a product with a matrix of weights, or null if the op is not one. */
  static Unit matmul(GraphOps ops, GraphOps.Node node) {
    if (!node.type().equals("matmul") || !(node.op() instanceof CustomOp op)) {
      return null;
    }
    List<String> inputs = node.inputs();
    long[] flags = op.iArgs();
    boolean plain = isMatrix(ops, inputs.get(1)) && flag(flags, 0) == 0 && flag(flags, 2) == 0;
    return plain
        ? new Unit(
            Kind.MATMUL,
            List.of(node),
            List.of(inputs.get(0)),
            node.outputs(),
            inputs.get(1),
            flag(flags, 1) != 0)
        : null;
  }

  private static boolean isMatrix(GraphOps ops, String name) {
    INDArray weight = ops.weight(name);
    return weight != null
        && weight.rank() == 2
        && weight.dataType() == DataType.FLOAT
        && NativeMatrix.isContiguous(weight);
  }

  /** Whether a name is a computed value of {@code [rows, columns]}. */
  private static boolean isValue(GraphOps ops, ValueShapes shapes, String name) {
    return ops.weight(name) == null && !ops.isPlaceholder(name) && shapes.isRows(name);
  }

  private static long flag(long[] flags, int index) {
    return index < flags.length ? flags[index] : 0;
  }

  /** Values that a scope's ops take from outside, weights and constants apart. */
  static List<String> external(GraphOps ops, List<GraphOps.Node> nodes) {
    Set<String> inside = new HashSet<>();
    nodes.forEach(node -> inside.addAll(node.outputs()));
    List<String> outside = new ArrayList<>();
    for (GraphOps.Node node : nodes) {
      for (String input : node.inputs()) {
        if (!inside.contains(input) && ops.weight(input) == null && !outside.contains(input)) {
          outside.add(input);
        }
      }
    }
    return outside;
  }
}
