package kv4j.inference.plan.run;

import java.util.ArrayList;
import java.util.List;
import kv4j.inference.kernel.AttentionScratch;
import kv4j.inference.kernel.ProductScratch;

/**
 * All memory that running a plan needs besides weights and cache, on the Java heap, allocated once
 * and reused by every pass. Grows when a pass has more rows than any before.
 *
 * <p>Bytes: {@code rows * (sum of matrix columns + queryColumns + 2 * kvColumns) * 4}; {@code
 * logitRows * vocabulary * 4}; and per worker the scratch of products and of attention.
 */
public final class Arena {
  private static final float[] NOTHING = {};

  private final List<Shared> shared = new ArrayList<>();
  private final int queryColumns;
  private final int kvColumns;
  private final AttentionScratch[] attentionScratch;
  private final ProductScratch[] productScratch;
  private Register logits;
  private int logitRows;
  private float[] queries = NOTHING;
  private float[] keys = NOTHING;
  private float[] values = NOTHING;
  private int rows;

  /** Columns of a matrix, and the registers that take turns in it. */
  private record Shared(int columns, List<Register> registers) {}

  /**
   * @param queryColumns most columns of a layer's queries, {@code heads * headDim}
   * @param kvColumns most columns of a layer's keys, {@code kvHeads * headDim}
   */
  public Arena(int workers, int queryColumns, int kvColumns) {
    this.queryColumns = queryColumns;
    this.kvColumns = kvColumns;
    attentionScratch = new AttentionScratch[workers];
    productScratch = new ProductScratch[workers];
    for (int w = 0; w < workers; w++) {
      attentionScratch[w] = new AttentionScratch();
      productScratch[w] = new ProductScratch();
    }
  }

  /** Adds a matrix and returns its number. */
  public int addMatrix(int columns) {
    shared.add(new Shared(columns, new ArrayList<>()));
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

  /**
   * Makes room for a pass. Must not be called while one runs.
   *
   * @throws IllegalArgumentException if a matrix would have more elements than an array can have
   */
  public void ensureRows(int needed, int neededLogits) {
    if (needed <= rows && neededLogits <= logitRows) {
      return;
    }
    int newRows = Math.max(rows, needed);
    int newLogitRows = Math.max(logitRows, neededLogits);
    close(); // should memory run out, the next pass begins anew
    if (logits != null) {
      logits.assign(new float[elements(newLogitRows, logits.columns())]);
    }
    for (Shared entry : shared) {
      float[] matrix = new float[elements(newRows, entry.columns)];
      entry.registers.forEach(register -> register.assign(matrix));
    }
    queries = new float[elements(newRows, queryColumns)];
    keys = new float[elements(newRows, kvColumns)];
    values = new float[elements(newRows, kvColumns)];
    rows = newRows;
    logitRows = newLogitRows;
  }

  private static int elements(int rows, int columns) {
    long elements = (long) rows * columns;
    if (elements > Integer.MAX_VALUE - 8) {
      throw new IllegalArgumentException(
          "a pass of %d rows is too long for matrices of %d columns".formatted(rows, columns));
    }
    return (int) elements;
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

  public AttentionScratch attention(int worker) {
    return attentionScratch[worker];
  }

  public ProductScratch product(int worker) {
    return productScratch[worker];
  }

  /** Bytes of the arrays now allocated, without the workers' scratch. */
  public long bytes() {
    long columns = queryColumns + 2L * kvColumns;
    for (Shared entry : shared) {
      columns += entry.columns;
    }
    long ofLogits = logits == null ? 0 : (long) logitRows * logits.columns();
    return (columns * rows + ofLogits) * Float.BYTES;
  }

  /** Drops all arrays; the next pass allocates them anew. */
  public void close() {
    rows = 0;
    logitRows = 0;
    queries = NOTHING;
    keys = NOTHING;
    values = NOTHING;
    shared.forEach(entry -> entry.registers.forEach(register -> register.assign(NOTHING)));
    if (logits != null) {
      logits.assign(NOTHING);
    }
  }
}
