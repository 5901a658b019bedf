package kv4j.inference.plan.run;

import java.util.ArrayList;
import java.util.List;
import kv4j.inference.kernel.AttentionScratch;

/**
 * All memory that running a plan needs besides weights and cache, allocated once and reused by
 * every pass. Grows when a pass has more rows than any before.
 *
 * <p>Bytes: {@code rows * (sum of matrix columns + 2 * queryColumns + 2 * kvColumns) * 4}, and per
 * worker two scratch rows and the attention scratch.
 */
public final class Arena implements AutoCloseable {
  private final List<Shared> shared = new ArrayList<>();
  private final int queryColumns;
  private final int kvColumns;
  private final float[][] rowScratch;
  private final float[][] resultScratch;
  private final AttentionScratch[] attentionScratch;
  private float[] queries = {};
  private float[] keys = {};
  private float[] values = {};
  private float[] context = {};
  private int rows;

  /** A matrix and the registers that take turns in it. */
  private static final class Shared {
    private final int columns;
    private final List<Register> registers = new ArrayList<>();
    private NativeMatrix matrix;

    Shared(int columns) {
      this.columns = columns;
    }
  }

  /**
   * @param queryColumns most columns of a layer's queries, {@code heads * headDim}
   * @param kvColumns most columns of a layer's keys, {@code kvHeads * headDim}
   * @param widestRow most elements that a row kernel reads or writes at once
   */
  public Arena(int workers, int queryColumns, int kvColumns, int widestRow) {
    this.queryColumns = queryColumns;
    this.kvColumns = kvColumns;
    rowScratch = new float[workers][widestRow];
    resultScratch = new float[workers][widestRow];
    attentionScratch = new AttentionScratch[workers];
    for (int w = 0; w < workers; w++) {
      attentionScratch[w] = new AttentionScratch();
    }
  }

  /** Adds a matrix and returns its number. */
  public int addMatrix(int columns) {
    shared.add(new Shared(columns));
    return shared.size() - 1;
  }

  /** Lets a register live in a matrix. */
  public void share(int matrix, Register register) {
    shared.get(matrix).registers.add(register);
  }

  /** Makes room for a pass. Must not be called while one runs. */
  public void ensureRows(int needed) {
    if (needed <= rows) {
      return;
    }
    for (Shared entry : shared) {
      if (entry.matrix != null) {
        entry.matrix.close();
      }
      entry.matrix = NativeMatrix.allocate(needed, entry.columns);
      for (Register register : entry.registers) {
        register.assign(entry.matrix);
      }
    }
    queries = new float[needed * queryColumns];
    keys = new float[needed * kvColumns];
    values = new float[needed * kvColumns];
    context = new float[needed * queryColumns];
    rows = needed;
  }

  /** Rotated queries, {@code [rows, heads, headDim]}. */
  public float[] queries() {
    return queries;
  }

  /** New keys, {@code [rows, kvHeads, headDim]}. */
  public float[] keys() {
    return keys;
  }

  /** New values, {@code [rows, kvHeads, headDim]}. */
  public float[] values() {
    return values;
  }

  /** Results of attention, {@code [rows, heads, headDim]}. */
  public float[] context() {
    return context;
  }

  /** A worker's scratch for the row it reads. */
  public float[] row(int worker) {
    return rowScratch[worker];
  }

  /** A worker's scratch for the row it writes. */
  public float[] result(int worker) {
    return resultScratch[worker];
  }

  public AttentionScratch attention(int worker) {
    return attentionScratch[worker];
  }

  /** Bytes of matrices and arrays now allocated, without the workers' scratch. */
  public long bytes() {
    long columns = 2L * queryColumns + 2L * kvColumns;
    for (Shared entry : shared) {
      columns += entry.columns;
    }
    return columns * rows * Float.BYTES;
  }

  @Override
  public void close() {
    for (Shared entry : shared) {
      if (entry.matrix != null) {
        entry.matrix.close();
      }
    }
    rows = 0;
  }
}
