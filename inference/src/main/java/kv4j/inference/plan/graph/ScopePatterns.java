package kv4j.inference.plan.graph;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * The scopes that have a step of their own. A scope is known by the end of its name and by the ops
 * in it (in any order, reshapes apart): if either is not as expected, its ops are not fused.
 */
public final class ScopePatterns {
  private record Pattern(Unit.Kind kind, String ops) {}

  private static final List<Pattern> NORMS =
      List.of(
          new Pattern(Unit.Kind.NORM, "add multiply multiply multiply reduce_sqnorm rsqrt"),
          new Pattern(
              Unit.Kind.LAYER_NORM,
              "add add multiply multiply multiply reduce_mean reduce_sqnorm rsqrt subtract"));

  private static final List<Pattern> BIASED = List.of(new Pattern(Unit.Kind.MATMUL, "add matmul"));

  /** By the last two parts of the scope's name, or the last one. */
  private static final Map<String, List<Pattern>> BY_SCOPE =
      Map.of(
          "norm", NORMS,
          "final_norm", NORMS,
          "attention/qkv", BIASED,
          "attention/output", BIASED,
          "ffn/gate_up", BIASED,
          "ffn/up", BIASED,
          "ffn/down", BIASED,
          "attention/rotary",
              List.of(
                  new Pattern(Unit.Kind.ROTARY, "add matmul multiply multiply split_v split_v"),
                  new Pattern(
                      Unit.Kind.NORMED_ROTARY,
                      "add add matmul multiply multiply multiply multiply multiply reduce_sqnorm"
                          + " rsqrt split_v split_v"),
                  new Pattern(Unit.Kind.SPLIT, "split_v")),
          "attention/core",
              List.of(
                  new Pattern(
                      Unit.Kind.CORE,
                      "add identity identity matmul matmul multiply permute permute permute"
                          + " permute softmax")),
          "ffn/activation",
              List.of(
                  new Pattern(Unit.Kind.SWIGLU, "multiply split swish"),
                  new Pattern(Unit.Kind.GELU, "add multiply multiply multiply sigmoid square")));

  private ScopePatterns() {}

  /**
   * What is known of a graph's scopes.
   *
   * @param units those that have a step, by name
   * @param misses why others have none though their names say that they should, by name; to be read
   *     after the name
   */
  record Matches(Map<String, Unit> units, Map<String, String> misses) {
    static final Matches NONE = new Matches(Map.of(), Map.of());
  }

  /** Looks at all scopes of a graph. */
  static Matches matchAll(GraphOps ops, Map<String, List<GraphOps.Node>> scopes) {
    Map<String, Unit> units = new HashMap<>();
    Map<String, String> misses = new HashMap<>();
    scopes.forEach(
        (scope, nodes) -> {
          List<Pattern> patterns = patterns(scope);
          Unit unit = match(ops, patterns, nodes);
          if (unit != null) {
            units.put(scope, unit);
          } else if (!patterns.isEmpty() && nodes.size() > 1) {
            misses.put(scope, miss(patterns, nodes));
          }
        });
    // The heap arrays between rotary and core serve these two steps alone: both or neither.
    needTwin("rotary", "core", units, misses);
    needTwin("core", "rotary", units, misses);
    return new Matches(units, misses);
  }

  private static void needTwin(
      String name, String twin, Map<String, Unit> units, Map<String, String> misses) {
    for (String scope : List.copyOf(units.keySet())) {
      String parent = scope.substring(0, scope.lastIndexOf('/') + 1);
      if (scope.equals(parent + name) && !units.containsKey(parent + twin)) {
        units.remove(scope);
        misses.put(scope, "has a step only beside that of " + twin);
      }
    }
  }

  /** What a scope of this name should be; empty if no step knows the name. */
  private static List<Pattern> patterns(String scope) {
    String[] parts = scope.split("/");
    String last = parts[parts.length - 1];
    String lastTwo = parts.length < 2 ? last : parts[parts.length - 2] + "/" + last;
    return BY_SCOPE.getOrDefault(lastTwo, BY_SCOPE.getOrDefault(last, List.of()));
  }

  /** The unit that a scope's ops are, or null. */
  private static Unit match(GraphOps ops, List<Pattern> patterns, List<GraphOps.Node> nodes) {
    String types = String.join(" ", types(nodes));
    return patterns.stream()
        .filter(pattern -> pattern.ops.equals(types))
        .findFirst()
        .map(pattern -> unit(ops, pattern.kind, nodes))
        .orElse(null);
  }

  /** How a scope differs from what is nearest to it. */
  private static String miss(List<Pattern> patterns, List<GraphOps.Node> nodes) {
    String nearest = null;
    int fewest = Integer.MAX_VALUE;
    for (Pattern pattern : patterns) {
      List<String> missing = new ArrayList<>(List.of(pattern.ops.split(" ")));
      List<String> extra = new ArrayList<>(types(nodes));
      extra.removeIf(missing::remove);
      if (missing.size() + extra.size() < fewest) {
        fewest = missing.size() + extra.size();
        String kind = pattern.kind.name().toLowerCase(Locale.ROOT).replace('_', ' ');
        nearest =
            fewest == 0
                ? "has the ops of a known " + kind + " but not its operands"
                : "is no known "
                    + kind
                    + (extra.isEmpty() ? "" : ", having also " + String.join(", ", extra))
                    + (missing.isEmpty() ? "" : ", lacking " + String.join(", ", missing));
      }
    }
    return nearest;
  }

  /** The unit that a scope's ops are if also their weights are as expected, or null. */
  private static Unit unit(GraphOps ops, Unit.Kind kind, List<GraphOps.Node> nodes) {
    List<String> reads = Unit.external(ops, nodes);
    List<String> writes = List.of(nodes.get(nodes.size() - 1).output());
    return switch (kind) {
      case NORM -> {
        String gain = weight(ops, nodes, "multiply", 1);
        yield gain == null || reads.size() != 1
            ? null
            : new Unit(kind, nodes, reads, writes, gain, false);
      }
      case LAYER_NORM -> {
        String gain = weight(ops, nodes, "multiply", 1);
        yield gain == null || bias(ops, nodes) == null || reads.size() != 1
            ? null
            : new Unit(kind, nodes, reads, writes, gain, false);
      }
      case MATMUL -> {
        Unit product = Unit.matmul(ops, nodes.get(0));
        yield product == null || bias(ops, nodes) == null || reads.size() != 1
            ? null
            : new Unit(kind, nodes, reads, writes, product.weight(), product.transposed());
      }
      case NORMED_ROTARY -> {
        String gain = weight(ops, nodes, "multiply", 2);
        yield gain == null
            ? null
            : new Unit(kind, nodes, reads.subList(0, 1), results(nodes), gain, false);
      }
      case ROTARY, SPLIT -> // the cosines and sines come from the tables, by position
          new Unit(kind, nodes, reads.subList(0, 1), results(nodes), null, false);
      case CORE -> // the mask is what causal attention does anyway
          new Unit(
              kind,
              nodes,
              reads.stream().filter(name -> name.contains("attention/rotary")).toList(),
              writes,
              null,
              false);
      default -> reads.size() == 1 ? new Unit(kind, nodes, reads, writes, null, false) : null;
    };
  }

  private static List<String> types(List<GraphOps.Node> nodes) {
    return nodes.stream()
        .map(GraphOps.Node::type)
        .filter(type -> !type.equals("reshape"))
        .sorted()
        .toList();
  }

  private static List<String> results(List<GraphOps.Node> nodes) {
    return nodes.stream().flatMap(node -> node.outputs().stream()).toList();
  }

  /** The vector that is added, or null. */
  public static String bias(GraphOps ops, List<GraphOps.Node> nodes) {
    return weight(ops, nodes, "add", 1);
  }

  /** The epsilon of a norm: the scalar that is added. */
  public static float epsilon(GraphOps ops, List<GraphOps.Node> nodes) {
    String name = weight(ops, nodes, "add", 0);
    if (name == null) {
      throw new UnsupportedGraphException("a norm whose epsilon is not a constant");
    }
    return ops.weight(name).getFloat(0);
  }

  /** The only weight of a rank that ops of a type use, or null. */
  private static String weight(GraphOps ops, List<GraphOps.Node> nodes, String type, int rank) {
    String found = null;
    for (GraphOps.Node node : nodes) {
      for (String input : node.type().equals(type) ? node.inputs() : List.<String>of()) {
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
