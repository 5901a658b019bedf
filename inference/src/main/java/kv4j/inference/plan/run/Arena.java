package kv4j.inference.plan.run;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import kv4j.inference.kernel.AttentionScratch;
import kv4j.inference.kernel.ProductScratch;

/**
 * All memory that running a plan needs besides weights and cache, on the Java heap, allocated once
 * and reused by every pass. A pass's values are in a {@link Bank}, and registers are in the bank
 * that was selected last: so a pass can be left in the middle while another runs in a second bank.
 *
 * <p>Bytes of a bank: {@code rows * (sum of matrix columns + queryColumns + 2 * kvColumns) * 4} and
 * {@code logitRows * vocabulary * 4}. Beside that there is, per worker, the scratch of products and
 * of attention.
 */
public final class Arena {
  private static final float[] NOTHING = {};

  private final List<Shared> shared = new ArrayList<>();
  private final int queryColumns;
  private final int kvColumns;
  private final AttentionScratch[] attentionScratch;
  private final ProductScratch[] productScratch;
  private Register logits;
  private Bank selected = new Bank();

  /** The arrays of all registers. Grows when a pass has more rows than any before. */
  public static final class Bank {
    private float[][] matrices = {};
    private float[] logits = NOTHING;
    private float[] queries = NOTHING;
    private float[] keys = NOTHING;
    private float[] values = NOTHING;
    private int rows;
    private int logitRows;

    /** Bytes of its arrays. */
    public long bytes() {
      return Stream.concat(Stream.of(logits, queries, keys, values), Stream.of(matrices))
          .mapToLong(array -> (long) array.length * Float.BYTES)
          .sum();
    }

    private void drop() {
      matrices = new float[0][];
      logits = NOTHING;
      queries = NOTHING;
      keys = NOTHING;
      values = NOTHING;
      rows = 0;
      logitRows = 0;
    }
  }

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
   * Makes room for a pass in a bank, and lets all registers be there. Must not be called while
   * steps run.
   *
   * @throws IllegalArgumentException if a matrix would have more elements than an array can have
   */
  public void select(Bank bank, int rows, int logitRows) {
    if (rows > bank.rows || logitRows > bank.logitRows) {
      grow(bank, Math.max(rows, bank.rows), Math.max(logitRows, bank.logitRows));
    } else if (bank == selected) {
      return;
    }
    selected = bank;
    for (int i = 0; i < shared.size(); i++) {
      float[] matrix = bank.matrices[i];
      shared.get(i).registers.forEach(register -> register.assign(matrix));
    }
    if (logits != null) {
      logits.assign(bank.logits);
    }
  }

  private void grow(Bank bank, int rows, int logitRows) {
    drop(bank); // should memory run out, the next pass begins anew
    if (logits != null) {
      bank.logits = new float[elements(logitRows, logits.columns())];
    }
    float[][] matrices = new float[shared.size()][];
    for (int i = 0; i < matrices.length; i++) {
      matrices[i] = new float[elements(rows, shared.get(i).columns)];
    }
    bank.matrices = matrices;
    bank.queries = new float[elements(rows, queryColumns)];
    bank.keys = new float[elements(rows, kvColumns)];
    bank.values = new float[elements(rows, kvColumns)];
    bank.rows = rows;
    bank.logitRows = logitRows;
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
    return selected.queries;
  }

  /** New keys, {@code [rows, kvHeads, headDim]}. */
  public float[] keys() {
    return selected.keys;
  }

  /** New values, {@code [rows, kvHeads, headDim]}. */
  public float[] values() {
    return selected.values;
  }

  public AttentionScratch attention(int worker) {
    return attentionScratch[worker];
  }

  public ProductScratch product(int worker) {
    return productScratch[worker];
  }

  /** Frees a bank's arrays; the next pass in it allocates them anew. */
  public void drop(Bank bank) {
    bank.drop();
    if (bank == selected) {
      shared.forEach(entry -> entry.registers.forEach(register -> register.assign(NOTHING)));
      if (logits != null) {
        logits.assign(NOTHING);
      }
    }
  }
}
