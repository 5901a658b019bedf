package kv4j.inference.plan;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import kv4j.model.GraphNames;

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
    NORM,
    MATMUL,
    ROTARY,
    CORE,
    ACTIVATION,
    ADD,
    OTHER
  }

  /** The only value written. */
  String output() {
    return writes.get(writes.size() - 1);
  }

  String describe() {
    return nodes.get(0).type() + " " + output();
  }

  /** All of a graph's ops as units, in running order. */
  static List<Unit> group(GraphOps ops) {
    Map<String, List<GraphOps.Node>> scopes = new LinkedHashMap<>();
    for (GraphOps.Node node : ops.nodes()) {
      scopes.computeIfAbsent(node.scope(), key -> new ArrayList<>()).add(node);
    }
    Map<String, Unit> fused = new LinkedHashMap<>();
    scopes.forEach(
        (scope, nodes) -> {
          Unit unit = ScopePatterns.match(ops, scope, nodes);
          if (unit != null) {
            fused.put(scope, unit);
          }
        });
    List<Unit> units = new ArrayList<>();
    for (GraphOps.Node node : ops.nodes()) {
      Unit scope = fused.get(node.scope());
      if (scope == null) {
        units.add(single(ops, node));
      } else if (node == scope.nodes().get(scope.nodes().size() - 1)) {
        units.add(scope);
      }
    }
    return units;
  }

  private static Unit single(GraphOps ops, GraphOps.Node node) {
    List<String> inputs = node.inputs();
    switch (node.type()) {
      case "gather" -> {
        if (ops.weight(inputs.get(0)) != null && inputs.get(1).equals(GraphNames.TOKENS)) {
          return new Unit(
              Kind.EMBEDDING, List.of(node), List.of(), node.outputs(), inputs.get(0), false);
        }
      }
      case "matmul" -> {
        long[] flags = node.op() instanceof org.nd4j.linalg.api.ops.CustomOp op ? op.iArgs() : null;
        boolean plain = flags != null && flag(flags, 0) == 0 && flag(flags, 2) == 0;
        if (plain && ops.weight(inputs.get(0)) == null && ops.weight(inputs.get(1)) != null) {
          return new Unit(
              Kind.MATMUL,
              List.of(node),
              List.of(inputs.get(0)),
              node.outputs(),
              inputs.get(1),
              flag(flags, 1) != 0);
        }
      }
      case "add" -> {
        if (inputs.size() == 2
            && ops.weight(inputs.get(0)) == null
            && ops.weight(inputs.get(1)) == null) {
          return new Unit(Kind.ADD, List.of(node), inputs, node.outputs(), null, false);
        }
      }
      default -> {}
    }
    return new Unit(Kind.OTHER, List.of(node), inputs, node.outputs(), null, false);
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
