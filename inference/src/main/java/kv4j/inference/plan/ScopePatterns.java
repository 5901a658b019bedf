package kv4j.inference.plan;

import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import kv4j.model.GraphNames;

/**
 * The scopes that have a step of their own. A scope is known by the end of its name and by the ops in
 * it: if either is not as expected, its ops are not fused.
 */
final class ScopePatterns {
  private static final Map<String, String> OPS_BY_SCOPE =
      Map.of(
          "norm", "TBD",
          "final_norm", "TBD",
          "attention/rotary", "TBD",
          "attention/core", "TBD",
          "ffn/activation", "TBD");

  private ScopePatterns() {}

  /** The unit that a scope's ops are, or null. */
  static Unit match(GraphOps ops, String scope, List<GraphOps.Node> nodes) {
    String types =
        nodes.stream().map(GraphOps.Node::type).sorted().collect(Collectors.joining(" "));
    System.out.println(scope + ": " + types + " reads " + Unit.external(ops, nodes));
    return null;
  }
}
