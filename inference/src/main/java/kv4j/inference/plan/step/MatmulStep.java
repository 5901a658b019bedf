package kv4j.inference.plan.step;

import java.util.List;
import kv4j.inference.kernel.Product;
import kv4j.inference.plan.run.Arena;
import kv4j.inference.plan.run.PassState;
import kv4j.inference.plan.run.Register;
import kv4j.inference.plan.run.Step;

/**
 * A projection: {@code output = input · weight}, or {@code output += input · weight}, plus a bias
 * if there is one.
 *
 * <p>In long passes each worker takes its own rows, with which it then goes on alone. In short ones
 * each takes some of the outputs, so that every weight is read by one worker only, since reading
 * them is what takes the time; so it does where weights have to be expanded first.
 *
 * @param name for people
 * @param input {@code [rows, inputs]}
 * @param accumulate whether to add to what output holds
 * @param bias added to each row, or null
 * @param output {@code [rows, outputs]}
 */
record MatmulStep(
    String name,
    Arena arena,
    Register input,
    Product product,
    boolean accumulate,
    float[] bias,
    Register output)
    implements Step {

  @Override
  public void run(PassState pass, int worker) {
    boolean byRows = rowLocal(pass);
    int parts = product.parts();
    product.run(
        input.values(),
        byRows ? pass.rowBegin(worker) : 0,
        byRows ? pass.rowEnd(worker) : pass.rows(),
        byRows ? 0 : pass.shareBegin(parts, worker),
        byRows ? parts : pass.shareBegin(parts, worker + 1),
        bias,
        accumulate,
        output.values(),
        arena.product(worker));
  }

  @Override
  public boolean rowLocal(PassState pass) {
    return pass.isLong() && !product.expands();
  }

  @Override
  public List<Register> reads() {
    return accumulate ? List.of(input, output) : List.of(input);
  }

  @Override
  public List<Register> writes() {
    return List.of(output);
  }

  @Override
  public String describe() {
    return kind() + " " + name;
  }

  @Override
  public String kind() {
    return "matmul" + (bias == null ? "" : "+bias") + (accumulate ? "+add" : "");
  }
}
