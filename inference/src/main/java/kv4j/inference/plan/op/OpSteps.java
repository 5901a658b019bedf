package kv4j.inference.plan.op;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import kv4j.inference.plan.graph.GraphOps;
import kv4j.inference.plan.graph.Unit;
import kv4j.inference.plan.graph.UnsupportedGraphException;
import kv4j.inference.plan.graph.Uses;
import kv4j.inference.plan.graph.ValueShapes;
import kv4j.inference.plan.run.Register;
import kv4j.inference.plan.run.Step;
import org.nd4j.autodiff.samediff.SameDiff;

/** Makes the steps of units that run as SameDiff runs them. */
public final class OpSteps {
  private final SameDiff graph;
  private final GraphOps ops;
  private final ValueShapes shapes;
  private final Uses uses;
  private final Map<String, Register> registers;
  private OpRunner runner;

  /**
   * @param registers of all values so far, by name; results that steps of our own read are added
   */
  public OpSteps(
      SameDiff graph,
      GraphOps ops,
      ValueShapes shapes,
      Uses uses,
      Map<String, Register> registers) {
    this.graph = graph;
    this.ops = ops;
    this.shapes = shapes;
    this.uses = uses;
    this.registers = registers;
  }

  /** The causal mask of attention that has no step of its own. */
  public Step causalMask(Unit unit) {
    return new MaskStep(
        unit.output(), "causal mask", pass -> MaskStep.causal(pass.segments().get(0)));
  }

  /** Another mask, computed of a whole sequence. */
  public Step otherMask(Unit unit) {
    GraphMask mask = new GraphMask(graph, unit.output());
    return new MaskStep(
        unit.output(), "the graph's own mask", pass -> mask.of(pass.segments().get(0)));
  }

  /** The hook of such attention. */
  public Step hook(Unit unit, int layer) {
    return new OpHookStep(layer, unit.reads(), unit.writes());
  }

  /**
   * An op that runs as it is; what steps of our own read of it goes to registers as well.
   *
   * @param number of the unit
   * @throws UnsupportedGraphException if it cannot run alone, or such a result is no matrix
   */
  public Step op(Unit unit, int number) {
    GraphOps.Node node = unit.nodes().get(0);
    if (!OpRunner.canRun(node)) {
      throw new UnsupportedGraphException("op " + node.type() + " " + node.output());
    }
    Map<String, OpStep.Bound> inputs = new HashMap<>();
    for (String input : node.inputs()) {
      if (registers.containsKey(input)) {
        inputs.put(input, new OpStep.Bound(registers.get(input), shapes.of(input)));
      }
    }
    Map<String, Register> stored = new HashMap<>();
    for (String output : node.outputs()) {
      if (uses.isReadByStep(output)) {
        int columns = shapes.columns(output);
        if (columns < 0) {
          throw new UnsupportedGraphException(output + ", whose shape is not [rows, columns]");
        }
        stored.put(output, new Register(columns));
      }
    }
    List<String> lastReads =
        node.inputs().stream()
            .distinct()
            .filter(input -> !ops.isPlaceholder(input) && !ops.isWeight(input))
            .filter(input -> uses.endsAt(number, input))
            .toList();
    registers.putAll(stored);
    return new OpStep(runner(), node, inputs, stored, lastReads);
  }

  private OpRunner runner() {
    if (runner == null) {
      runner = new OpRunner(graph);
    }
    return runner;
  }
}
