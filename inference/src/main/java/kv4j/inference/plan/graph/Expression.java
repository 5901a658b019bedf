package kv4j.inference.plan.graph;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.LongStream;
import org.nd4j.autodiff.functions.DifferentialFunction;
import org.nd4j.linalg.api.ops.BaseReduceOp;
import org.nd4j.linalg.api.ops.CustomOp;
import org.nd4j.linalg.api.ops.Op;
import org.nd4j.linalg.api.ops.impl.reduce.Mmul;

/**
 * What a group of ops has to compute, op for op, written as {@code (type:parameters operand ..)}.
 * An operand is another such expression or a variable, {@code ?name}, which stands for any value,
 * but everywhere for the same one; {@code type:parameters#1} is an op's second result. Parameters
 * are the op's integers, or for a reduction its dimensions, with {@code k} if it keeps them. The
 * operands of sums and products may come in either order; otherwise order counts.
 */
final class Expression {
  private static final Set<String> COMMUTATIVE = Set.of("add", "multiply");

  /** In front of a reshape's dimensions: the elements' order, row by row. */
  private static final long ROW_BY_ROW = -99;

  private final String name; // of a variable, else null
  private final String op; // with parameters
  private final int result;
  private final List<Expression> operands = new ArrayList<>();

  private Expression(String name, String op, int result) {
    this.name = name;
    this.op = op;
    this.result = result;
  }

  /** What a group of ops was found to be. */
  static final class Match {
    private final Map<String, String> values = new HashMap<>();
    private final Set<GraphOps.Node> nodes = new HashSet<>();

    Match() {}

    private Match(Match other) {
      values.putAll(other.values);
      nodes.addAll(other.nodes);
    }

    /** What the variables stand for, by their names. */
    Map<String, String> values() {
      return values;
    }

    String value(String variable) {
      return values.get(variable);
    }

    /** The ops that the expression stands for. */
    Set<GraphOps.Node> nodes() {
      return nodes;
    }
  }

  static Expression parse(String text) {
    Deque<Expression> open = new ArrayDeque<>();
    Expression last = null;
    for (String token : text.replace("(", " ( ").replace(")", " ) ").strip().split("\\s+")) {
      if (token.equals(")")) {
        last = open.pop();
      } else if (token.equals("(")) {
        continue; // the op that follows opens the expression
      } else if (token.startsWith("?")) {
        last = new Expression(token.substring(1), null, 0);
      } else {
        String[] parts = token.split("#");
        Expression begun =
            new Expression(null, parts[0], parts.length == 1 ? 0 : Integer.parseInt(parts[1]));
        open.push(begun);
        continue;
      }
      if (!open.isEmpty()) {
        open.peek().operands.add(last);
      }
    }
    if (last == null || !open.isEmpty()) {
      throw new IllegalArgumentException("no expression: " + text);
    }
    return last;
  }

  /**
   * Whether a value is computed so.
   *
   * @param so what is known already: variables that stand for something, ops of other results
   */
  Optional<Match> match(GraphOps ops, String value, Match so) {
    if (name != null) {
      String bound = so.values.get(name);
      if (bound != null) {
        return bound.equals(value) ? Optional.of(so) : Optional.empty();
      }
      Match with = new Match(so);
      with.values.put(name, value);
      return Optional.of(with);
    }
    GraphOps.Node node = ops.producer(value);
    if (node == null
        || !signature(node).equals(op)
        || node.outputs().indexOf(value) != result
        || node.inputs().size() != operands.size()) {
      return Optional.empty();
    }
    Match with = new Match(so);
    with.nodes.add(node);
    Optional<Match> straight = matchAll(ops, node.inputs(), with);
    if (straight.isPresent() || !COMMUTATIVE.contains(node.type())) {
      return straight;
    }
    return matchAll(ops, List.of(node.inputs().get(1), node.inputs().get(0)), with);
  }

  private Optional<Match> matchAll(GraphOps ops, List<String> inputs, Match so) {
    Optional<Match> match = Optional.of(so);
    for (int i = 0; i < operands.size() && match.isPresent(); i++) {
      match = operands.get(i).match(ops, inputs.get(i), match.get());
    }
    return match;
  }

  /**
   * Adds the types of all ops that this stands for, reshapes apart, each op once.
   *
   * @param seen ops that are known already, as text
   */
  void addTypes(List<String> types, Set<String> seen) {
    if (name != null) {
      return;
    }
    String type = op.split(":")[0];
    if (seen.add(written(false)) && !type.equals("reshape")) {
      types.add(type);
    }
    operands.forEach(operand -> operand.addTypes(types, seen));
  }

  /** As it is parsed; without the number of the result it is the same for all results of an op. */
  private String written(boolean withResult) {
    if (name != null) {
      return "?" + name;
    }
    StringBuilder text = new StringBuilder("(").append(op);
    text.append(withResult ? "#" + result : "");
    operands.forEach(operand -> text.append(' ').append(operand.written(true)));
    return text.append(')').toString();
  }

  @Override
  public String toString() {
    return written(true);
  }

  /** An op's type with all that it is told besides its inputs. */
  static String signature(GraphOps.Node node) {
    DifferentialFunction op = node.op();
    String parameters;
    if (op instanceof CustomOp custom) {
      parameters = parameters(custom);
    } else if (op instanceof BaseReduceOp reduction) {
      parameters =
          reduction.dimensions() == null
              ? "all"
              : numbers(reduction.dimensions().toLongVector())
                  + (reduction.isKeepDims() ? "k" : "")
                  + extra(reduction);
    } else if (op instanceof Op other) {
      parameters = extra(other);
    } else {
      parameters = "unknown";
    }
    return parameters.isEmpty() ? node.type() : node.type() + ":" + parameters;
  }

  private static String parameters(CustomOp op) {
    long[] integers = op.iArgs();
    if (integers.length > 0 && integers[0] == ROW_BY_ROW) {
      integers = Arrays.copyOfRange(integers, 1, integers.length);
    }
    double[] reals = op.tArgs();
    boolean plainProduct = op instanceof Mmul && Arrays.equals(reals, new double[] {1, 0});
    return numbers(integers)
        + (reals.length == 0 || plainProduct ? "" : Arrays.toString(reals).replace(" ", ""))
        + (op.bArgs().length == 0 ? "" : Arrays.toString(op.bArgs()).replace(" ", ""));
  }

  private static String numbers(long[] numbers) {
    return String.join(",", LongStream.of(numbers).mapToObj(Long::toString).toList());
  }

  private static String extra(Op op) {
    Object[] extra = op.extraArgs();
    return extra == null || extra.length == 0 ? "" : Arrays.toString(extra).replace(" ", "");
  }
}
