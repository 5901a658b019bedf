package kv4j.inference.plan.graph;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import kv4j.model.weight.PanelMatrix;
import kv4j.model.weight.WeightArrays;
import org.nd4j.autodiff.functions.DifferentialFunction;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.autodiff.samediff.internal.SameDiffOp;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/** A SameDiff graph's ops in an order in which they can run, and who reads what. */
public final class GraphOps {
  private final SameDiff graph;
  private final Map<String, Node> producers = new HashMap<>();
  private final List<Node> nodes;

  /** One op. Its scope is what its first result's name has before the last {@code /}. */
  public record Node(
      String name, DifferentialFunction op, List<String> inputs, List<String> outputs) {
    public String type() {
      return op.opName();
    }

    public String output() {
      return outputs.get(0);
    }

    public String scope() {
      return output().substring(0, Math.max(0, output().lastIndexOf('/')));
    }
  }

  /** The ops needed for an output. */
  public GraphOps(SameDiff graph, String output) {
    this.graph = graph;
    for (SameDiffOp op : graph.getOps().values()) {
      List<String> inputs = op.getInputsToOp() == null ? List.of() : op.getInputsToOp();
      Node node =
          new Node(op.getName(), op.getOp(), List.copyOf(inputs), List.copyOf(op.getOutputsOfOp()));
      node.outputs().forEach(result -> producers.put(result, node));
    }
    Node last = producers.get(output);
    if (last == null) {
      throw new UnsupportedGraphException("a graph without " + output);
    }
    nodes =
        Dependencies.order(
            last,
            node ->
                node.inputs().stream().filter(producers::containsKey).map(producers::get).toList());
  }

  /** In running order. */
  public List<Node> nodes() {
    return nodes;
  }

  /** The array of a weight or constant, or null if there is none of that name. */
  public INDArray weight(String name) {
    if (!graph.hasVariable(name)) {
      return null;
    }
    return switch (graph.getVariable(name).getVariableType()) {
      case VARIABLE, CONSTANT -> graph.getArrForVarName(name);
      default -> null;
    };
  }

  /** A weight in panels, if it is kept so. */
  public Optional<PanelMatrix> panels(String name) {
    return WeightArrays.panels(graph, name);
  }

  /** Whether a name is that of a weight or constant. */
  public boolean isWeight(String name) {
    return panels(name).isPresent() || weight(name) != null;
  }

  /** Whether a name is that of a matrix of weights that can be multiplied with. */
  public boolean isMatrix(String name) {
    if (panels(name).isPresent()) {
      return true;
    }
    INDArray weight = weight(name);
    return weight != null
        && weight.rank() == 2
        && weight.dataType() == DataType.FLOAT
        && weight.elementWiseStride() == 1
        && weight.ordering() == 'c';
  }

  /** The op that computes a value; null for weights and placeholders. */
  Node producer(String value) {
    return producers.get(value);
  }

  /** The number that a constant of one element is; empty for all else. */
  public Optional<Double> scalar(String name) {
    INDArray array = weight(name);
    return array == null || array.length() != 1 || array.rank() > 1
        ? Optional.empty()
        : Optional.of(array.getDouble(0));
  }

  public boolean isPlaceholder(String name) {
    return graph.getVariable(name).isPlaceHolder();
  }
}
