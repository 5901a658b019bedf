package kv4j.inference.plan.run;

import java.util.ArrayList;
import java.util.List;
import kv4j.inference.kernel.AttentionScratch;

/**
 * All memory that running a plan needs besides weights and cache, allocated once and reused by
 * every pass. Grows when a pass has more rows than any before.
 *
 * <p>Bytes: {@code rows * (sum of matrix columns + 2 * queryColumns + 2 * kvColumns) * 4}; {@code
 * logitRows * vocabulary * 4}; for each worker but the first {@code min(rows, 127) * (columns of
 * the widest projection) * 4}, see {@link #part}; and per worker two scratch rows and the attention
 * scratch.
 */
public final class Arena implements AutoCloseable {
  private final List<Shared> shared = new ArrayList<>();
  private final int queryColumns;
  private final int kvColumns;
  private final float[][] rowScratch;
  private final float[][] resultScratch;
  private final AttentionScratch[] attentionScratch;
  private final NativeMatrix[] parts;
  private final List<Register> projections = new ArrayList<>();
  private Register logits;
  private NativeMatrix logitMatrix;
  private int logitRows;
  private int layout;
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
    parts = new NativeMatrix[workers];
    for (int w = 0; w < workers; w++) {
      attentionScratch[w] = new AttentionScratch();
    }
  }

  public int workers() {
    return parts.length;
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

  /**
   * Gives the logits a matrix of their own, which has only the rows they are asked for, since it is
   * as wide as the vocabulary.
   */
  public void holdLogits(Register register) {
    logits = register;
  }

  /** Lets {@link #part} hold what a projection gives. Must not be called once a pass ran. */
  public void reservePart(Register projection) {
    projections.add(projection);
  }

  /** Makes room for a pass. Must not be called while one runs. */
  public void ensureRows(int needed, int neededLogits) {
    if (needed <= rows && neededLogits <= logitRows) {
      return;
    }
    int newRows = Math.max(rows, needed);
    int newLogitRows = Math.max(logitRows, neededLogits);
    // Until all is there, nothing counts: should memory run out, the next pass begins anew.
    rows = 0;
    logitRows = 0;
    layout++;
    if (logits != null && !fits(logitMatrix, newLogitRows)) {
      close(logitMatrix);
      logitMatrix = NativeMatrix.allocate(newLogitRows, logits.columns());
      logits.assign(logitMatrix);
    }
    for (Shared entry : shared) {
      if (!fits(entry.matrix, newRows)) {
        close(entry.matrix);
        entry.matrix = NativeMatrix.allocate(newRows, entry.columns);
        for (Register register : entry.registers) {
          register.assign(entry.matrix);
        }
      }
    }
    int part = Math.toIntExact(partElements(newRows, newLogitRows));
    for (int worker = 1; worker < parts.length && part > 0; worker++) {
      if (parts[worker] == null || parts[worker].columns() < part) {
        close(parts[worker]);
        parts[worker] = NativeMatrix.allocate(1, part);
      }
    }
    if (queries.length < newRows * queryColumns) {
      queries = new float[newRows * queryColumns];
      keys = new float[newRows * kvColumns];
      values = new float[newRows * kvColumns];
      context = new float[newRows * queryColumns];
    }
    rows = newRows;
    logitRows = newLogitRows;
  }

  /** Whether a matrix is there and has so many rows. */
  private static boolean fits(NativeMatrix matrix, int rows) {
    return rows == 0 || matrix != null && !matrix.array().wasClosed() && matrix.rows() >= rows;
  }

  /** A number that is new whenever a matrix may lie elsewhere than before. */
  public int layout() {
    return layout;
  }

  /**
   * Most elements of a projection in a pass of so many rows whose projections are not split by
   * rows.
   */
  private long partElements(int rows, int logitRows) {
    long most = 0;
    for (Register projection : projections) {
      int height = Math.min(projection == logits ? logitRows : rows, PassState.SHORT_ROWS);
      most = Math.max(most, (long) height * projection.columns());
    }
    return most;
  }

  /**
   * Room for what a worker, not the first, has of a projection that is split by inputs, all in one
   * row.
   */
  public NativeMatrix part(int worker) {
    return parts[worker];
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
    long ofLogits = logits == null ? 0 : (long) logitRows * logits.columns();
    long ofParts = (parts.length - 1) * partElements(rows, logitRows);
    return (columns * rows + ofLogits + ofParts) * Float.BYTES;
  }

  @Override
  public void close() {
    shared.forEach(entry -> close(entry.matrix));
    for (NativeMatrix part : parts) {
      close(part);
    }
    close(logitMatrix);
    rows = 0;
    logitRows = 0;
  }

  private static void close(NativeMatrix matrix) {
    if (matrix != null) {
      matrix.close();
    }
  }
}
