package kv4j.model.format.block;

import java.nio.ByteBuffer;
import java.nio.FloatBuffer;
import java.util.Arrays;
import java.util.Optional;

/**
 * How a tensor's elements are stored, as ggml names, numbers and lays out the types: blocks of some
 * elements in some bytes, one after another, the lower byte of any number first.
 */
public enum TensorType {
  F32(0, 1, 4, null, null, Float.MAX_VALUE),
  F16(1, 1, 2, HalfFloats::f16, HalfFloats::toF16, HalfFloats.LARGEST),
  BF16(30, 1, 2, HalfFloats::bf16),
  Q4_0(2, PlainBlocks.ELEMENTS, 18, PlainBlocks::q40, PlainBlocks::toQ40, 8 * HalfFloats.LARGEST),
  Q4_1(3, PlainBlocks.ELEMENTS, 20, PlainBlocks::q41),
  Q5_0(6, PlainBlocks.ELEMENTS, 22, PlainBlocks::q50),
  Q5_1(7, PlainBlocks.ELEMENTS, 24, PlainBlocks::q51),
  Q8_0(8, PlainBlocks.ELEMENTS, 34, PlainBlocks::q80, PlainBlocks::toQ80, 127 * HalfFloats.LARGEST),
  Q4_K(12, SuperBlocks.ELEMENTS, 144, SuperBlocks::q4k),
  Q5_K(13, SuperBlocks.ELEMENTS, 176, SuperBlocks::q5k),
  Q6_K(14, SuperBlocks.ELEMENTS, 210, SuperBlocks::q6k);

  /** Elements expanded or compressed at a time: few enough to stay in a core's own cache. */
  private static final int CHUNK = 4096;

  private final int id;
  private final int blockElements;
  private final int blockBytes;
  private final BlockExpander expander;
  private final BlockCompressor compressor;
  private final float largest;

  /** A type that is read only. */
  TensorType(int id, int blockElements, int blockBytes, BlockExpander expander) {
    this(id, blockElements, blockBytes, expander, null, 0);
  }

  TensorType(
      int id,
      int blockElements,
      int blockBytes,
      BlockExpander expander,
      BlockCompressor compressor,
      float largest) {
    this.id = id;
    this.blockElements = blockElements;
    this.blockBytes = blockBytes;
    this.expander = expander;
    this.compressor = compressor;
    this.largest = largest;
  }

  /** The type of ggml's number, if it is one of these. */
  public static Optional<TensorType> ofId(int id) {
    return Arrays.stream(values()).filter(type -> type.id == id).findFirst();
  }

  /** ggml's number. */
  public int id() {
    return id;
  }

  /** Elements in a block. */
  public int blockElements() {
    return blockElements;
  }

  /** Bytes of a block. */
  public int blockBytes() {
    return blockBytes;
  }

  /**
   * The size up to which elements can be stored: beyond it there would be an infinity, the
   * element's or its scale's. 0 for a type that is read only.
   */
  public float largest() {
    return largest;
  }

  /**
   * Expands all of {@code in} to floats and advances both buffers.
   *
   * @param in whole blocks, in little-endian order
   * @param out room for the blocks' elements
   */
  public void expand(ByteBuffer in, FloatBuffer out) {
    if (this == F32) {
      out.put(in.asFloatBuffer());
      in.position(in.limit());
      return;
    }
    int blocksAtOnce = Math.min(CHUNK / blockElements, in.remaining() / blockBytes);
    byte[] stored = new byte[blocksAtOnce * blockBytes];
    float[] expanded = new float[blocksAtOnce * blockElements];
    while (in.hasRemaining()) {
      int blocks = Math.min(blocksAtOnce, in.remaining() / blockBytes);
      in.get(stored, 0, blocks * blockBytes);
      expander.expand(stored, blocks, expanded);
      out.put(expanded, 0, blocks * blockElements);
    }
  }

  /**
   * Stores all of {@code in} as blocks and advances both buffers, as ggml's reference conversions
   * do: F16 rounds to the nearest, of two as near to the even one, and blocks have one scale each.
   *
   * @param in the elements of whole blocks, finite and none larger than {@link #largest}, but for
   *     F32, which keeps every bit
   * @param out room for the blocks, in little-endian order
   * @throws IllegalArgumentException if the type is read only
   */
  public void compress(FloatBuffer in, ByteBuffer out) {
    if (this == F32) {
      int bytes = in.remaining() * Float.BYTES;
      out.asFloatBuffer().put(in);
      out.position(out.position() + bytes);
      return;
    }
    if (compressor == null) {
      throw new IllegalArgumentException("nothing is written as " + this);
    }
    int blocksAtOnce = Math.min(CHUNK, in.remaining()) / blockElements;
    float[] elements = new float[blocksAtOnce * blockElements];
    byte[] stored = new byte[blocksAtOnce * blockBytes];
    while (in.hasRemaining()) {
      int blocks = Math.min(blocksAtOnce, in.remaining() / blockElements);
      in.get(elements, 0, blocks * blockElements);
      compressor.compress(elements, blocks, stored);
      out.put(stored, 0, blocks * blockBytes);
    }
  }
}
