package kv4j.inference.plan.op;

import java.util.List;
import java.util.Map;
import kv4j.inference.plan.graph.GraphOps;
import kv4j.inference.plan.run.PassState;
import kv4j.inference.plan.run.PassValues;
import kv4j.inference.plan.run.Register;
import kv4j.inference.plan.run.Step;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/**
 * An op that has no step of its own, run as SameDiff runs it, by one worker. Its results are arrays
 * of the pass; a result that another kind of step reads is also stored in a register.
 */
final class OpStep implements Step {
  private final OpRunner runner;
  private final GraphOps.Node node;
  private final Map<String, Bound> inputs;
  private final Map<String, Register> stored;
  private final List<String> lastReads;

  /**
   * A value that lives in a register.
   *
   * @param shape its declared shape, -1 for the rows
   */
  record Bound(Register register, long[] shape) {}

  /**
   * @param inputs those inputs that live in registers
   * @param stored those results that go to registers
   * @param lastReads values that nobody reads after this step
   */
  OpStep(
      OpRunner runner,
      GraphOps.Node node,
      Map<String, Bound> inputs,
      Map<String, Register> stored,
      List<String> lastReads) {
    this.runner = runner;
    this.node = node;
    this.inputs = Map.copyOf(inputs);
    this.stored = Map.copyOf(stored);
    this.lastReads = List.copyOf(lastReads);
  }

  @Override
  public void run(PassState pass, int worker) {
    if (worker != 0) {
      return;
    }
    PassValues values = pass.values();
    inputs.forEach((name, bound) -> values.lend(name, copy(bound, pass.rows())));
    INDArray[] results = runner.run(node, values.arrays());
    for (int i = 0; i < results.length; i++) {
      String name = node.outputs().get(i);
      values.put(name, results[i]);
      Register register = stored.get(name);
      if (register != null) {
        store(results[i], register, pass.rows());
      }
    }
    lastReads.forEach(values::drop);
  }

  private static INDArray copy(Bound bound, int rows) {
    int columns = bound.register.columns();
    long[] shape = bound.shape == null ? new long[] {rows, columns} : bound.shape.clone();
    for (int i = 0; i < shape.length; i++) {
      shape[i] = shape[i] < 0 ? rows : shape[i];
    }
    INDArray copy = Nd4j.createUninitialized(DataType.FLOAT, shape, 'c');
    copy.data().asNioFloat().put(bound.register.values(), 0, rows * columns);
    return copy;
  }

  private static void store(INDArray result, Register register, int rows) {
    INDArray plain = result.dup('c');
    plain.data().asNioFloat().get(register.values(), 0, rows * register.columns());
    plain.close();
  }

  @Override
  public boolean rowLocal(PassState pass) {
    return false;
  }

  @Override
  public List<Register> reads() {
    return inputs.values().stream().map(Bound::register).toList();
  }

  @Override
  public List<Register> writes() {
    return List.copyOf(stored.values());
  }

  @Override
  public String describe() {
    return "op " + node.type() + " " + node.output();
  }
}
