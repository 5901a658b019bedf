package kv4j.inference.plan;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.nd4j.autodiff.functions.DifferentialFunction;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.autodiff.samediff.internal.SameDiffOp;
import org.nd4j.linalg.api.ndarray.INDArray;

/** A SameDiff graph's ops in an order in which they can run, and who reads what. */
final class GraphOps {
  private final SameDiff graph;
  private final List<Node> nodes;

  /** One op. Its scope is what its first result's name has before the last {@code /}. */
  record Node(String name, DifferentialFunction op, List<String> inputs, List<String> outputs) {
    String type() {
      return op.opName();
    }

    String output() {
      return outputs.get(0);
    }

    String scope() {
      return output().substring(0, Math.max(0, output().lastIndexOf('/')));
    }
  }

  /** The ops needed for an output. */
  GraphOps(SameDiff graph, String output) {
    this.graph = graph;
    Map<String, SameDiffOp> producers = new HashMap<>();
    for (SameDiffOp op : graph.getOps().values()) {
      for (String result : op.getOutputsOfOp()) {
        producers.put(result, op);
      }
    }
    List<Node> ordered = new ArrayList<>();
    visit(output, producers, new HashSet<>(), ordered);
    nodes = List.copyOf(ordered);
  }

  /** Depth first, without recursion: a deep graph would overflow the stack. */
  private static void visit(
      String output, Map<String, SameDiffOp> producers, Set<String> done, List<Node> ordered) {
    ArrayList<String> stack = new ArrayList<>(List.of(output));
    while (!stack.isEmpty()) {
      String variable = stack.get(stack.size() - 1);
      SameDiffOp op = producers.get(variable);
      if (op == null || done.contains(op.getName())) {
        stack.remove(stack.size() - 1);
        continue;
      }
      List<String> inputs = inputs(op);
      List<String> waiting =
          inputs.stream()
              .filter(
                  in -> producers.containsKey(in) && !done.contains(producers.get(in).getName()))
              .toList();
      if (waiting.isEmpty()) {
        stack.remove(stack.size() - 1);
        done.add(op.getName());
        ordered.add(new Node(op.getName(), op.getOp(), inputs, List.copyOf(op.getOutputsOfOp())));
      } else {
        for (int i = waiting.size() - 1; i >= 0; i--) {
          stack.add(waiting.get(i));
        }
      }
    }
  }

  private static List<String> inputs(SameDiffOp op) {
    return op.getInputsToOp() == null ? List.of() : List.copyOf(op.getInputsToOp());
  }

  /** In running order. */
  List<Node> nodes() {
    return nodes;
  }

  /** The array of a weight or constant, or null if there is none of that name. */
  INDArray weight(String name) {
    if (!graph.hasVariable(name)) {
      return null;
    }
    return switch (graph.getVariable(name).getVariableType()) {
      case VARIABLE, CONSTANT -> graph.getArrForVarName(name);
      default -> null;
    };
  }

  boolean isPlaceholder(String name) {
    return graph.getVariable(name).isPlaceHolder();
  }

  /** The declared shape, -1 where it depends on the rows; null if unknown. */
  long[] shape(String name) {
    long[] shape = graph.getVariable(name).getShape();
    return shape == null ? null : Arrays.copyOf(shape, shape.length);
  }
}
