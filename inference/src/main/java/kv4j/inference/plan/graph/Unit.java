package kv4j.inference.plan.graph;

import java.util.List;
import java.util.Map;
import java.util.Set;
import org.nd4j.autodiff.functions.DifferentialFunction;
import org.nd4j.linalg.api.ops.CustomOp;

/**
 * Ops that become one step: a scope that computes what the step stands for, or a single op.
 *
 * @param kind what it does
 * @param nodes its ops in running order
 * @param reads values that the step reads (fewer than the ops do), weights apart
 * @param writes values that ops outside may read
 * @param operands names of what else it uses, by what it uses it for: {@code weight}, {@code gain}
 *     and the like
 */
public record Unit(
    Kind kind,
    List<GraphOps.Node> nodes,
    List<String> reads,
    List<String> writes,
    Map<String, String> operands) {
  public enum Kind {
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
    /** The causal mask, for attention that has no step of its own. */
    MASK,
    /** Another mask: it is computed of the whole sequence, as the graph says. */
    OTHER_MASK,
    /** The two ops where a cache plugs in, of attention that has no step of its own. */
    HOOK,
    OTHER
  }

  public Unit {
    operands = Map.copyOf(operands);
  }

  /** A unit that uses nothing else. */
  Unit(Kind kind, List<GraphOps.Node> nodes, List<String> reads, List<String> writes) {
    this(kind, nodes, reads, writes, Map.of());
  }

  /** The name of what it uses for something; null if nothing. */
  public String operand(String use) {
    return operands.get(use);
  }

  /** Whether a product's weight is {@code [out, in]}. */
  public boolean transposed() {
    return nodes.stream().anyMatch(node -> node.type().equals("matmul") && isTransposed(node.op()));
  }

  private static boolean isTransposed(DifferentialFunction op) {
    return op instanceof CustomOp product && flag(product.iArgs(), 1) != 0;
  }

  /** The only value written. */
  public String output() {
    return writes.get(writes.size() - 1);
  }

  /** The other summand of a sum. */
  public String otherThan(String summand) {
    return reads.get(0).equals(summand) ? reads.get(1) : reads.get(0);
  }

  /** The unit of a product with a matrix of weights, or null if the op is not one. */
  static Unit matmul(GraphOps ops, GraphOps.Node node) {
    if (!Set.of("matmul:0,0,0", "matmul:0,1,0").contains(Expression.signature(node))
        || !ops.isMatrix(node.inputs().get(1))) {
      return null;
    }
    List<String> inputs = node.inputs();
    return new Unit(
        Kind.MATMUL,
        List.of(node),
        List.of(inputs.get(0)),
        node.outputs(),
        Map.of("weight", inputs.get(1)));
  }

  private static long flag(long[] flags, int index) {
    return index < flags.length ? flags[index] : 0;
  }
}
