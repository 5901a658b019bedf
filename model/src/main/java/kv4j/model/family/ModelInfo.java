package kv4j.model.family;

import java.util.Collections;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import kv4j.model.MemoryFormula;
import kv4j.model.TransformerConfig;
import kv4j.model.format.block.TensorType;

/**
 * What is known of a model before its weights are read.
 *
 * @param name for people
 * @param format of the file
 * @param config its shape, with the context it is loaded for
 * @param weightBytes bytes of the weights in memory
 * @param weightTypes how matrices of weights are kept in memory
 * @param unknownKeys what the file says of the model that kv4j does not know, and takes to be
 *     without effect
 */
public record ModelInfo(
    String name,
    String format,
    Family family,
    TransformerConfig config,
    long weightBytes,
    Set<TensorType> weightTypes,
    List<String> unknownKeys) {
  /** Most rows of a pass where nobody asks for another number. */
  public static final int PASS_ROWS = 512;

  /** Copies what is not one. */
  public ModelInfo {
    weightTypes = Collections.unmodifiableSet(new TreeSet<>(weightTypes));
    unknownKeys = List.copyOf(unknownKeys);
  }

  /**
   * Bytes the model takes in memory when it runs, as {@link MemoryFormula} has them: its weights,
   * tables of its positions, and what passes of {@value #PASS_ROWS} rows compute with. A cache of
   * keys and values has a limit of its own.
   */
  public long bytes() {
    MemoryFormula formula = new MemoryFormula(config);
    return weightBytes + formula.constants() + formula.tables() + formula.arena(PASS_ROWS, 1);
  }
}
