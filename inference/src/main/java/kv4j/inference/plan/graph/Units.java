package kv4j.inference.plan.graph;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import kv4j.model.GraphNames;
import kv4j.model.TransformerConfig;

/**
 * A graph's ops as units, in running order.
 *
 * @param list all of them
 * @param fused whether scopes and ops have steps of their own where there are some
 * @param misses what keeps a scope that should have a step from having it, by the scope's name
 */
public record Units(List<Unit> list, boolean fused, Map<String, String> misses) {
  /**
   * All of a graph's ops as units.
   *
   * @param config of the model: its heads and their size
   * @param shapes of the values
   * @param fuse whether scopes and ops get steps of their own where there are some
   */
  public static Units group(
      GraphOps ops, TransformerConfig config, ValueShapes shapes, boolean fuse) {
    Map<String, List<GraphOps.Node>> scopes = new LinkedHashMap<>();
    for (GraphOps.Node node : ops.nodes()) {
      scopes.computeIfAbsent(node.scope(), key -> new ArrayList<>()).add(node);
    }
    ScopePatterns.Matches matches =
        fuse ? ScopePatterns.matchAll(ops, config, scopes) : ScopePatterns.Matches.NONE;
    List<Unit> units = new ArrayList<>();
    Map<String, GraphOps.Node> halfHooks = new HashMap<>();
    for (GraphOps.Node node : ops.nodes()) {
      Unit scope = matches.units().get(node.scope());
      if (scope != null) {
        if (node == scope.nodes().get(scope.nodes().size() - 1)) {
          units.add(scope);
        }
      } else if (node.output().equals(GraphNames.CAUSAL_MASK)) {
        units.add(mask(ops, node));
      } else if (isHook(node)) {
        GraphOps.Node other = halfHooks.put(node.scope(), node);
        if (other != null) {
          units.add(hook(node, other));
        }
      } else {
        units.add(single(ops, shapes, node, fuse));
      }
    }
    return new Units(units, fuse, matches.misses());
  }

  private static Unit mask(GraphOps ops, GraphOps.Node node) {
    Unit.Kind kind =
        ScopePatterns.isCausal(ops, node.output()) ? Unit.Kind.MASK : Unit.Kind.OTHER_MASK;
    return new Unit(kind, List.of(node), List.of(), node.outputs());
  }

  private static boolean isHook(GraphOps.Node node) {
    return node.type().equals("identity") && isAttendedTo(node);
  }

  private static boolean isAttendedTo(GraphOps.Node node) {
    return node.output().endsWith(GraphNames.CORE_KEYS)
        || node.output().endsWith(GraphNames.CORE_VALUES);
  }

  /** Reads and writes keys first, then values. */
  private static Unit hook(GraphOps.Node one, GraphOps.Node other) {
    boolean keysFirst = one.output().endsWith(GraphNames.CORE_KEYS);
    GraphOps.Node keys = keysFirst ? one : other;
    GraphOps.Node values = keysFirst ? other : one;
    return new Unit(
        Unit.Kind.HOOK,
        List.of(keys, values),
        List.of(keys.inputs().get(0), values.inputs().get(0)),
        List.of(keys.output(), values.output()));
  }

  private static Unit single(GraphOps ops, ValueShapes shapes, GraphOps.Node node, boolean fuse) {
    List<String> inputs = node.inputs();
    switch (fuse ? node.type() : "") {
      case "gather" -> {
        boolean byToken = inputs.get(1).equals(GraphNames.TOKENS);
        if (Expression.signature(node).equals("gather:0")
            && ops.isMatrix(inputs.get(0))
            && (byToken || inputs.get(1).equals(GraphNames.POSITIONS))) {
          Unit.Kind kind = byToken ? Unit.Kind.EMBEDDING : Unit.Kind.POSITION_EMBEDDING;
          return new Unit(
              kind, List.of(node), List.of(), node.outputs(), Map.of("weight", inputs.get(0)));
        }
      }
      case "matmul" -> {
        Unit product = Unit.matmul(ops, node);
        if (product != null && isValue(ops, shapes, inputs.get(0))) {
          return product;
        }
      }
      case "add" -> {
        if (inputs.size() == 2
            && isValue(ops, shapes, inputs.get(0))
            && isValue(ops, shapes, inputs.get(1))
            && shapes.columns(inputs.get(0)) == shapes.columns(inputs.get(1))) {
          return new Unit(Unit.Kind.ADD, List.of(node), inputs, node.outputs());
        }
      }
      default -> {}
    }
    return new Unit(Unit.Kind.OTHER, List.of(node), inputs, node.outputs());
  }

  /** Whether a name is a computed value of {@code [rows, columns]}. */
  private static boolean isValue(GraphOps ops, ValueShapes shapes, String name) {
    return !ops.isWeight(name) && !ops.isPlaceholder(name) && shapes.isRows(name);
  }

  /** Those that a value depends on, in running order: a unit reads less than its ops do. */
  public Units neededFor(String value) {
    Map<String, Unit> producers = new HashMap<>();
    list.forEach(unit -> unit.writes().forEach(written -> producers.put(written, unit)));
    List<Unit> needed =
        Dependencies.order(
            producers.get(value),
            unit ->
                unit.reads().stream().filter(producers::containsKey).map(producers::get).toList());
    return new Units(needed, fused, misses);
  }

  public boolean has(Unit.Kind kind) {
    return list.stream().anyMatch(unit -> unit.kind() == kind);
  }

  /** Why a unit's op runs as SameDiff runs it, to be read after a name; empty if all do. */
  public String whyStock(Unit unit) {
    if (!fused) {
      return "";
    }
    GraphOps.Node node = unit.nodes().get(0);
    String miss = misses.get(node.scope());
    if (miss != null) {
      return miss;
    }
    return switch (node.type()) {
      case "gather" -> "is no lookup of tokens or positions in a matrix of floats";
      case "matmul" -> "is no product of rows with a matrix of weights";
      case "add" -> "is no sum of two computed matrices";
      default -> "has no step of its own";
    };
  }
}
