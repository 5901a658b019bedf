package kv4j.model.format;

import kv4j.model.format.block.TensorType;

/**
 * What the weights of a written GGUF file are stored as.
 *
 * <p>Which tensors take part is as in llama.cpp's {@code llama-quantize --pure}: the matrices,
 * output head and token embedding included (without {@code --pure} it would keep some of them in a
 * type of more bits, such as the output head in Q6_K). Norms, biases and all else of one dimension
 * stay F32, as does GPT-2's table of positions. A matrix whose rows are not whole blocks is F16 in
 * a file of blocks: llama-quantize refuses such a model for Q8_0 and Q4_0, and makes the matrix F16
 * where another type's rows do not fit.
 */
public enum WeightType {
  F32(TensorType.F32, 0),
  F16(TensorType.F16, 1),
  Q8_0(TensorType.Q8_0, 7),
  Q4_0(TensorType.Q4_0, 2);

  private static final String POSITIONS = "position_embd.weight";

  private final TensorType matrices;
  private final int fileType;

  WeightType(TensorType matrices, int fileType) {
    this.matrices = matrices;
    this.fileType = fileType;
  }

  /** The number that llama.cpp gives to files of mostly this type, {@code general.file_type}. */
  int fileType() {
    return fileType;
  }

  /** Whether weights are stored as blocks of some elements of one scale. */
  public boolean isQuantized() {
    return matrices.blockElements() > 1;
  }

  /**
   * What a tensor is stored as.
   *
   * @param name as GGUF calls the tensor
   * @param shape its sizes, the outermost first
   */
  public TensorType of(String name, long[] shape) {
    if (shape.length < 2 || !name.endsWith("weight") || name.equals(POSITIONS)) {
      return TensorType.F32;
    }
    return shape[shape.length - 1] % matrices.blockElements() == 0 ? matrices : TensorType.F16;
  }
}
