package kv4j.inference.plan.step;

import java.util.List;
import kv4j.inference.kernel.Kernels;
import kv4j.inference.plan.run.Arena;
import kv4j.inference.plan.run.PassState;
import kv4j.inference.plan.run.Register;
import kv4j.inference.plan.run.Step;

/**
 * Splits each row of the joint projection into queries, keys and values, norms query and key heads
 * where they have norms, and turns them by their position where that is rotary.
 */
final class HeadsStep implements Step {
  private final Kernels kernels;
  private final Arena arena;
  private final AttentionShape shape;
  private final HeadNorm norm;
  private final RotaryTables tables;
  private final Register qkv;

  /**
   * @param norm of query and key heads, or null
   * @param tables by which to turn queries and keys, or null
   * @param qkv {@code [rows, (heads + 2 kvHeads) * headDim]}
   */
  HeadsStep(
      Kernels kernels,
      Arena arena,
      AttentionShape shape,
      HeadNorm norm,
      RotaryTables tables,
      Register qkv) {
    this.kernels = kernels;
    this.arena = arena;
    this.shape = shape;
    this.norm = norm;
    this.tables = tables;
    this.qkv = qkv;
  }

  @Override
  public void run(PassState pass, int worker) {
    int queryColumns = shape.queryColumns();
    int kvColumns = shape.kvColumns();
    int headDim = shape.headDim();
    float[] source = qkv.values();
    for (int r = pass.rowBegin(worker); r < pass.rowEnd(worker); r++) {
      int position = pass.position(r);
      int q = r * queryColumns;
      int kv = r * kvColumns;
      int at = qkv.at(r);
      System.arraycopy(source, at, arena.queries(), q, queryColumns);
      System.arraycopy(source, at + queryColumns, arena.keys(), kv, kvColumns);
      System.arraycopy(source, at + queryColumns + kvColumns, arena.values(), kv, kvColumns);
      if (norm != null) {
        norm.apply(kernels, arena.queries(), q, 0, shape.heads(), headDim);
        norm.apply(kernels, arena.keys(), kv, shape.heads(), shape.kvHeads(), headDim);
      }
      if (tables != null) {
        tables.rotate(kernels, arena.queries(), q, shape.heads(), headDim, position);
        tables.rotate(kernels, arena.keys(), kv, shape.kvHeads(), headDim, position);
      }
    }
  }

  @Override
  public List<Register> reads() {
    return List.of(qkv);
  }

  @Override
  public String describe() {
    return (norm == null ? "" : "head norms, ") + (tables == null ? "split" : "rotary");
  }
}
