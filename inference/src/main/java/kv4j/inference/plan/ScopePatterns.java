package kv4j.inference.plan;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * The scopes that have a step of their own. A scope is known by the end of its name and by the ops
 * in it (in any order, reshapes apart): if either is not as expected, its ops are not fused.
 */
final class ScopePatterns {
  private static final String NORM = "add multiply multiply multiply reduce_sqnorm rsqrt";

  private record Pattern(Unit.Kind kind, String ops) {}

  /** By the last two parts of the scope's name, or the last one. */
  private static final Map<String, Pattern> BY_SCOPE =
      Map.of(
          "norm", new Pattern(Unit.Kind.NORM, NORM),
          "final_norm", new Pattern(Unit.Kind.NORM, NORM),
          "attention/rotary",
              new Pattern(Unit.Kind.ROTARY, "add matmul multiply multiply split_v split_v"),
          "attention/core",
              new Pattern(
                  Unit.Kind.CORE,
                  "add identity identity matmul matmul multiply permute permute permute permute"
                      + " softmax"),
          "ffn/activation", new Pattern(Unit.Kind.ACTIVATION, "multiply split swish"));

  private ScopePatterns() {}

  /** The scopes that are units, by name. */
  static Map<String, Unit> matchAll(GraphOps ops, Map<String, List<GraphOps.Node>> scopes) {
    Map<String, Unit> units = new HashMap<>();
    scopes.forEach(
        (scope, nodes) -> {
          Unit unit = match(ops, scope, nodes);
          if (unit != null) {
            units.put(scope, unit);
          }
        });
    // The heap arrays between rotary and core serve these two steps alone: both or neither.
    units.keySet().removeIf(scope -> scope.endsWith("/rotary") && !hasTwin(units, scope, "core"));
    units.keySet().removeIf(scope -> scope.endsWith("/core") && !hasTwin(units, scope, "rotary"));
    return units;
  }

  private static boolean hasTwin(Map<String, Unit> units, String scope, String twin) {
    return units.containsKey(scope.substring(0, scope.lastIndexOf('/') + 1) + twin);
  }

  /** The unit that a scope's ops are, or null. */
  private static Unit match(GraphOps ops, String scope, List<GraphOps.Node> nodes) {
    String[] parts = scope.split("/");
    String last = parts[parts.length - 1];
    String lastTwo = parts.length < 2 ? last : parts[parts.length - 2] + "/" + last;
    Pattern pattern = BY_SCOPE.getOrDefault(lastTwo, BY_SCOPE.get(last));
    if (pattern == null || !types(nodes).equals(pattern.ops)) {
      return null;
    }
    List<String> reads = Unit.external(ops, nodes);
    List<String> writes = List.of(nodes.get(nodes.size() - 1).output());
    return switch (pattern.kind) {
      case NORM -> {
        String gain = gain(ops, nodes);
        yield gain == null || reads.size() != 1
            ? null
            : new Unit(pattern.kind, nodes, reads, writes, gain, false);
      }
      case ROTARY -> // the cosines and sines come from the tables, by position
          new Unit(pattern.kind, nodes, reads.subList(0, 1), results(nodes), null, false);
      case CORE -> // the mask is what causal attention does anyway
          new Unit(
              pattern.kind,
              nodes,
              reads.stream().filter(name -> name.contains("attention/rotary")).toList(),
              writes,
              null,
              false);
      default ->
          reads.size() == 1 ? new Unit(pattern.kind, nodes, reads, writes, null, false) : null;
    };
  }

  private static String types(List<GraphOps.Node> nodes) {
    return nodes.stream()
        .map(GraphOps.Node::type)
        .filter(type -> !type.equals("reshape"))
        .sorted()
        .collect(Collectors.joining(" "));
  }

  private static List<String> results(List<GraphOps.Node> nodes) {
    return nodes.stream().flatMap(node -> node.outputs().stream()).toList();
  }

  /** The only vector among a norm's weights. */
  private static String gain(GraphOps ops, List<GraphOps.Node> nodes) {
    return weightOfRank(ops, nodes, 1);
  }

  /** The epsilon of a norm: the scalar that is added. */
  static float epsilon(GraphOps ops, List<GraphOps.Node> nodes) {
    List<GraphOps.Node> sum = nodes.stream().filter(node -> node.type().equals("add")).toList();
    String name = weightOfRank(ops, sum, 0);
    if (name == null) {
      throw new UnsupportedGraphException("a norm whose epsilon is not a constant");
    }
    return ops.weight(name).getFloat(0);
  }

  private static String weightOfRank(GraphOps ops, List<GraphOps.Node> nodes, int rank) {
    String found = null;
    for (GraphOps.Node node : nodes) {
      for (String input : node.inputs()) {
        INDArray weight = ops.weight(input);
        if (weight != null && weight.rank() == rank && weight.length() > 0) {
          if (found != null && !found.equals(input)) {
            return null;
          }
          found = input;
        }
      }
    }
    return found;
  }
}
