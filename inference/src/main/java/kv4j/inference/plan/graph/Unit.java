package kv4j.inference.plan.graph;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import kv4j.inference.plan.run.NativeMatrix;
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
public record Unit(
    Kind kind,
    List<GraphOps.Node> nodes,
    List<String> reads,
    List<String> writes,
    String weight,
    boolean transposed) {
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
    /** The causal mask, which depends on the past where there is one. */
    MASK,
    /** The two ops where a cache plugs in, of attention that has no step of its own. */
    HOOK,
    OTHER
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

  /** Whether a name is a matrix of weights that BLAS can read. */
  static boolean isMatrix(GraphOps ops, String name) {
    INDArray weight = ops.weight(name);
    return weight != null
        && weight.rank() == 2
        && weight.dataType() == DataType.FLOAT
        && NativeMatrix.isContiguous(weight);
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
