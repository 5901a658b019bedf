package kv4j.inference.plan.graph;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import kv4j.model.GraphNames;
import kv4j.model.TransformerConfig;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Finds the scopes that have a step of their own. A scope is known by the end of its name, but what
 * decides is what it computes: its ops, what each of them is told and reads, its constants and the
 * origin of its mask must be those that the step stands for. If anything is otherwise, the scope's
 * ops run as SameDiff runs them.
 */
public final class ScopePatterns {
  private static final String RMS =
      "(multiply ?rows (rsqrt (add (multiply (reduce_sqnorm:1k ?rows) ?meanFactor) ?epsilon)))";
  private static final String CENTRED = "(subtract ?input (reduce_mean:1k ?input))";
  private static final double GELU_LINEAR = 2 * Math.sqrt(2 / Math.PI);

  /** Constants come as floats. */
  private static final double PRECISION = 1e-6;

  /** Added to a score it leaves nothing of its exponential, whatever the others are. */
  private static final float MASKED = -1e8f;

  /**
   * What a step stands for.
   *
   * @param results expressions of the values that it writes
   * @param isRight whether what the variables stand for is as the step takes it
   */
  private record Pattern(
      Unit.Kind kind, List<Expression> results, Predicate<Expression.Match> isRight) {}

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

  private final GraphOps ops;
  private final TransformerConfig config;
  private final Map<String, List<GraphOps.Node>> scopes;
  private final RotaryConstants constants;
  private final Map<String, List<Pattern>> byScope;
  private final Map<String, Unit> units = new HashMap<>();
  private final Map<String, String> misses = new HashMap<>();

  private ScopePatterns(
      GraphOps ops, TransformerConfig config, Map<String, List<GraphOps.Node>> scopes) {
    this.ops = ops;
    this.config = config;
    this.scopes = scopes;
    constants = new RotaryConstants(ops, config);
    List<Pattern> norms = List.of(rmsNorm(), layerNorm());
    List<Pattern> biased = List.of(biased(0), biased(1));
    byScope =
        Map.of(
            "norm", norms,
            "final_norm", norms,
            "attention/qkv", biased,
            "attention/output", biased,
            "ffn/gate_up", biased,
            "ffn/up", biased,
            "ffn/down", biased,
            "ffn/activation", List.of(swiGlu(), gelu()));
  }

  /** Looks at all scopes of a graph. */
  static Matches matchAll(
      GraphOps ops, TransformerConfig config, Map<String, List<GraphOps.Node>> scopes) {
    ScopePatterns patterns = new ScopePatterns(ops, config, scopes);
    scopes.forEach(patterns::matchScope);
    return new Matches(patterns.units, patterns.misses);
  }

  private void matchScope(String scope, List<GraphOps.Node> nodes) {
    String[] parts = scope.split("/");
    String last = parts[parts.length - 1];
    String lastTwo = parts.length < 2 ? last : parts[parts.length - 2] + "/" + last;
    if (lastTwo.equals("attention/core")) {
      matchAttention(scope, nodes);
      return;
    }
    if (lastTwo.equals("attention/rotary")) {
      String core = scope.substring(0, scope.length() - "rotary".length()) + "core";
      if (!scopes.containsKey(core)) {
        misses.put(scope, "has a step only beside that of core");
      }
      return;
    }
    List<Pattern> patterns = byScope.getOrDefault(lastTwo, byScope.getOrDefault(last, List.of()));
    String result = nodes.get(nodes.size() - 1).output();
    for (Pattern pattern : patterns) {
      Optional<Expression.Match> match = match(pattern, List.of(result), nodes);
      if (match.isPresent()) {
        units.put(scope, unit(pattern.kind, nodes, List.of(result), match.get(), "input"));
        return;
      }
    }
    if (!patterns.isEmpty() && nodes.size() > 1) {
      misses.put(scope, miss(patterns, nodes));
    }
  }

  /** Attention and the rotation before it have steps that meet on the heap: both or neither. */
  private void matchAttention(String scope, List<GraphOps.Node> nodes) {
    String rotary = scope.substring(0, scope.length() - "core".length()) + "rotary";
    List<GraphOps.Node> before = scopes.getOrDefault(rotary, List.of());
    String result = nodes.get(nodes.size() - 1).output();
    Pattern core = core();
    Optional<Expression.Match> attention = match(core, List.of(result), nodes);
    if (attention.isEmpty()) {
      misses.put(scope, miss(List.of(core), nodes));
      misses.put(rotary, "has a step only beside that of core");
      return;
    }
    Expression.Match found = attention.get();
    List<String> heads =
        List.of(found.value("queries"), found.value("keys"), found.value("values"));
    List<Pattern> patterns = List.of(rotary(false), rotary(true), split());
    for (Pattern pattern : patterns) {
      Optional<Expression.Match> turned = match(pattern, heads, before);
      if (turned.isPresent()) {
        units.put(rotary, unit(pattern.kind, before, heads, turned.get(), "input"));
        units.put(
            scope, unit(core.kind, nodes, List.of(result), found, "queries", "keys", "values"));
        return;
      }
    }
    misses.put(rotary, before.isEmpty() ? "is not there" : miss(patterns, before));
    misses.put(scope, "has a step only beside that of rotary");
  }

  /** Matches if all of a scope's ops are accounted for and only the results are read elsewhere. */
  private Optional<Expression.Match> match(
      Pattern pattern, List<String> results, List<GraphOps.Node> nodes) {
    if (pattern.results.size() != results.size()) {
      return Optional.empty();
    }
    Optional<Expression.Match> match = Optional.of(new Expression.Match());
    for (int i = 0; i < results.size() && match.isPresent(); i++) {
      match = pattern.results.get(i).match(ops, results.get(i), match.get());
    }
    return match
        .filter(m -> m.nodes().containsAll(nodes))
        .filter(m -> !isReadInside(nodes, results))
        .filter(pattern.isRight);
  }

  /** Whether somebody else reads what a scope computes on the way to its results. */
  private boolean isReadInside(List<GraphOps.Node> nodes, List<String> results) {
    Set<String> inside =
        nodes.stream().flatMap(node -> node.outputs().stream()).collect(Collectors.toSet());
    results.forEach(inside::remove);
    return ops.nodes().stream()
        .filter(node -> !nodes.contains(node))
        .anyMatch(node -> node.inputs().stream().anyMatch(inside::contains));
  }

  private static Unit unit(
      Unit.Kind kind,
      List<GraphOps.Node> nodes,
      List<String> writes,
      Expression.Match match,
      String... reads) {
    List<String> values = new ArrayList<>();
    for (String read : reads) {
      values.add(match.value(read));
    }
    return new Unit(kind, nodes, values, writes, match.values());
  }

  private static Pattern pattern(
      Unit.Kind kind, Predicate<Expression.Match> isRight, String... results) {
    return new Pattern(kind, List.of(results).stream().map(Expression::parse).toList(), isRight);
  }

  private Pattern rmsNorm() {
    return pattern(
        Unit.Kind.NORM,
        m -> isNorm(m) && isVector(m, "gain"),
        "(multiply " + RMS.replace("?rows", "?input") + " ?gain)");
  }

  private Pattern layerNorm() {
    return pattern(
        Unit.Kind.LAYER_NORM,
        m -> isNorm(m) && isVector(m, "gain") && isVector(m, "bias"),
        "(add (multiply " + RMS.replace("?rows", CENTRED) + " ?gain) ?bias)");
  }

  private boolean isNorm(Expression.Match match) {
    INDArray gain = ops.weight(match.value("gain"));
    return gain != null
        && isScalar(match, "meanFactor", 1.0 / gain.size(gain.rank() - 1))
        && isScalar(match, "epsilon");
  }

  private Pattern biased(int transposed) {
    return pattern(
        Unit.Kind.MATMUL,
        m -> ops.isMatrix(m.value("weight")) && isVector(m, "bias"),
        "(add (matmul:0," + transposed + ",0 ?input ?weight) ?bias)");
  }

  private Pattern swiGlu() {
    return pattern(
        Unit.Kind.SWIGLU,
        m -> true,
        "(multiply (swish (split:2,1#0 ?input)) (split:2,1#1 ?input))");
  }

  private Pattern gelu() {
    return pattern(
        Unit.Kind.GELU,
        m -> isScalar(m, "cubic", GELU_LINEAR * 0.044715) && isScalar(m, "linear", GELU_LINEAR),
        "(multiply ?input (sigmoid (multiply (add (multiply (square ?input) ?cubic) ?linear)"
            + " ?input)))");
  }

  /**
   * @param normed whether heads have norms
   */
  private Pattern rotary(boolean normed) {
    String vectors = "(reshape:-1,D (split_v:1,2#0 (reshape:-1,ALL,D ?input) ?rotatedAndValues))";
    if (normed) {
      String unit = RMS.replace("?rows", vectors);
      vectors = "(reshape:-1,D (multiply (reshape:-1,ROTATED,D " + unit + ") ?gain))";
    }
    String turned =
        "(reshape:-1,ROTATED,D (add (multiply "
            + vectors
            + " ?headCos) (multiply (matmul:0,0,0 "
            + vectors
            + " ?quarterTurn) ?headSin)))";
    return pattern(
        normed ? Unit.Kind.NORMED_ROTARY : Unit.Kind.ROTARY,
        m ->
            isRotation(m)
                && isList(m, "rotatedAndValues", rotated(), config.kvHeads())
                && isList(m, "queriesAndKeys", config.heads(), config.kvHeads())
                && (!normed || isNorm(m) && isMatrix(m, "gain", rotated(), config.headDim())),
        sized("(split_v:1,2#0 " + turned + " ?queriesAndKeys)"),
        sized("(split_v:1,2#1 " + turned + " ?queriesAndKeys)"),
        sized("(split_v:1,2#1 (reshape:-1,ALL,D ?input) ?rotatedAndValues)"));
  }

  private Pattern split() {
    String part = "(split_v:1,3#%d (reshape:-1,ALL,D ?input) ?sizes)";
    return pattern(
        Unit.Kind.SPLIT,
        m -> isList(m, "sizes", config.heads(), config.kvHeads(), config.kvHeads()),
        sized(part.formatted(0)),
        sized(part.formatted(1)),
        sized(part.formatted(2)));
  }

  private Pattern core() {
    boolean grouped = config.heads() > config.kvHeads();
    String queries = "(permute:1,0,2 ?queries)";
    String shares =
        "(softmax:-1 (add (matmul:0,1,0 (multiply "
            + (grouped ? "(reshape:KV,-1,D " + queries + ")" : queries)
            + " ?scale) (permute:1,0,2 (identity ?keys))) ?mask))";
    String mixed = "(matmul:0,0,0 " + shares + " (permute:1,0,2 (identity ?values)))";
    return pattern(
        Unit.Kind.CORE,
        m -> isScalar(m, "scale") && isCausal(m.value("mask"), grouped),
        sized(
            "(reshape:-1,WIDTH (permute:1,0,2 "
                + (grouped ? "(reshape:HEADS,-1,D " + mixed + ")" : mixed)
                + "))"));
  }

  private int rotated() {
    return config.heads() + config.kvHeads();
  }

  private String sized(String expression) {
    return expression
        .replace("ALL", "" + (rotated() + config.kvHeads()))
        .replace("ROTATED", "" + rotated())
        .replace("WIDTH", "" + config.heads() * config.headDim())
        .replace("HEADS", "" + config.heads())
        .replace("KV", "" + config.kvHeads())
        .replace("D", "" + config.headDim());
  }

  /** Whether a mask lets every row attend to itself and all before it, and to nothing else. */
  private boolean isCausal(String mask, boolean grouped) {
    if (!grouped) {
      return isCausal(ops, mask);
    }
    int group = config.heads() / config.kvHeads();
    return Expression.parse("(tile:" + group + ",1 ?mask)")
        .match(ops, mask, new Expression.Match())
        .filter(m -> isCausal(ops, m.value("mask")))
        .isPresent();
  }

  /** Whether a value is the causal mask {@code [rows, rows]} of the rows' positions. */
  static boolean isCausal(GraphOps ops, String mask) {
    return Expression.parse("(multiply (cast:5 (greater ?from (expand_dims:1 ?from))) ?masked)")
        .match(ops, mask, new Expression.Match())
        .filter(m -> m.value("from").equals(GraphNames.POSITIONS))
        .filter(m -> ops.scalar(m.value("masked")).filter(x -> x <= MASKED).isPresent())
        .isPresent();
  }

  /**
   * Whether heads are turned by tables of cosines and sines, by the rows' positions, in pairs that
   * the config names.
   */
  private boolean isRotation(Expression.Match match) {
    String expression = "(reshape:-1,D (matmul:0,0,0 (gather:0 ?table ?positions) ?spread))";
    Optional<Expression.Match> cos =
        Expression.parse(sized(expression))
            .match(ops, match.value("headCos"), new Expression.Match());
    Optional<Expression.Match> sin =
        Expression.parse(sized(expression))
            .match(ops, match.value("headSin"), new Expression.Match());
    if (cos.isEmpty()
        || sin.isEmpty()
        || !constants.areRight(match.value("quarterTurn"), cos.get(), sin.get())) {
      return false;
    }
    match.values().put("cosTable", cos.get().value("table"));
    match.values().put("sinTable", sin.get().value("table"));
    return true;
  }

  private boolean isScalar(Expression.Match match, String variable) {
    return ops.scalar(match.value(variable)).isPresent();
  }

  private boolean isScalar(Expression.Match match, String variable, double value) {
    return ops.scalar(match.value(variable))
        .filter(x -> Math.abs(x - value) <= PRECISION * Math.abs(value))
        .isPresent();
  }

  private boolean isVector(Expression.Match match, String variable) {
    INDArray array = ops.weight(match.value(variable));
    return array != null && array.rank() == 1 && array.length() > 0;
  }

  private boolean isMatrix(Expression.Match match, String variable, int rows, int columns) {
    INDArray array = ops.weight(match.value(variable));
    return array != null && array.rank() == 2 && array.size(0) == rows && array.size(1) == columns;
  }

  private boolean isList(Expression.Match match, String variable, int... numbers) {
    INDArray array = ops.weight(match.value(variable));
    return array != null
        && !array.dataType().isFPType()
        && Arrays.equals(array.toIntVector(), numbers);
  }

  /** How a scope differs from what is nearest to it. */
  private static String miss(List<Pattern> patterns, List<GraphOps.Node> nodes) {
    String nearest = null;
    int fewest = Integer.MAX_VALUE;
    for (Pattern pattern : patterns) {
      List<String> missing = new ArrayList<>();
      Set<String> seen = new HashSet<>();
      pattern.results.forEach(result -> result.addTypes(missing, seen));
      Collections.sort(missing);
      List<String> extra = types(nodes);
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

  /** Types of ops, reshapes apart, in alphabetical order. */
  private static List<String> types(List<GraphOps.Node> nodes) {
    return new ArrayList<>(
        nodes.stream()
            .map(GraphOps.Node::type)
            .filter(type -> !type.equals("reshape"))
            .sorted()
            .toList());
  }
}
