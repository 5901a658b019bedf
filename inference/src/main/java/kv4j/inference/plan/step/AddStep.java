package kv4j.inference.plan.step;

import java.util.List;
import kv4j.inference.kernel.Kernels;
import kv4j.inference.plan.run.PassState;
import kv4j.inference.plan.run.Register;
import kv4j.inference.plan.run.Step;

/** Adds two values of the same shape. */
record AddStep(Kernels kernels, Register left, Register right, Register output) implements Step {
  @Override
  public void run(PassState pass, int worker) {
    int begin = output.at(pass.rowBegin(worker));
    int count = output.at(pass.rowEnd(worker)) - begin;
    System.arraycopy(left.values(), begin, output.values(), begin, count);
    kernels.add(output.values(), begin, right.values(), begin, count);
  }

  @Override
  public List<Register> reads() {
    return List.of(left, right);
  }

  @Override
  public List<Register> writes() {
    return List.of(output);
  }

  @Override
  public String describe() {
    return "add";
  }
}
