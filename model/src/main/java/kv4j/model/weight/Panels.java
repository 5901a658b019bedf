package kv4j.model.weight;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import kv4j.model.format.block.HalfFloats;
import kv4j.model.format.block.TensorType;

/**
 * Some outputs of a matrix of weights, all stored in one type, in panels of {@value #WIDTH}: {@code
 * [panels][parts][WIDTH]}. What a part is depends on the type: of F32 it is a float, of F16 and
 * BF16 the bits of one, both one for each input; of any other a byte of the blocks that the file
 * has, in the file's order. So a panel has the bits that its rows have in the file, re-ordered:
 * what the outputs have in the same place lies side by side, for vectors to take up together. Only
 * the binary16 scales of blocks are kept as floats, {@code [panels][scales][WIDTH]}, since decoding
 * them for each pass would cost as much as a good part of the product. The last panel is filled up
 * with zeros.
 *
 * <p>The arrays lie on the Java heap, where vectors are loaded at full speed on every JDK.
 */
public final class Panels {
  /** Outputs of a panel. */
  public static final int WIDTH = 64;

  /** Parts that are transposed together: so many of all outputs fit a core's first cache. */
  private static final int TOGETHER = 64;

  /** Bytes beyond the last: the narrowest vectors take up more than they need. */
  private static final int SPARE = 8;

  private final TensorType type;
  private final int inputs;
  private final int firstOutput;
  private final int outputs;
  private final int parts;
  private final Object elements;
  private final BlockScales blockScales;
  private final float[] scales;

  /**
   * Panels of zeros.
   *
   * @param inputs of the matrix, whole blocks of the type
   * @param firstOutput which output of the matrix the first one is
   * @param outputs how many there are
   * @throws IllegalArgumentException if there are more elements than an array can have
   */
  Panels(TensorType type, int inputs, int firstOutput, int outputs) {
    this.type = type;
    this.inputs = inputs;
    this.firstOutput = firstOutput;
    this.outputs = outputs;
    blockScales = BlockScales.of(type);
    parts = Math.toIntExact(partsOf(type, inputs));
    scales = new float[count() * blocks() * blockScales.count() * WIDTH];
    long length = (long) count() * parts * WIDTH;
    if (length > Integer.MAX_VALUE - 16) {
      throw new IllegalArgumentException(
          "a matrix of %d inputs and %d outputs is too large for one array"
              .formatted(inputs, outputs));
    }
    elements =
        switch (type) {
          case F32 -> new float[(int) length];
          case F16, BF16 -> new short[(int) length];
          default -> new byte[(int) length + SPARE];
        };
  }

  private static long partsOf(TensorType type, int inputs) {
    return switch (type) {
      case F32, F16, BF16 -> inputs;
      default ->
          (long) inputs / type.blockElements() * (type.blockBytes() - BlockScales.of(type).bytes());
    };
  }

  /** Blocks of an output. */
  private int blocks() {
    return inputs / type.blockElements();
  }

  public TensorType type() {
    return type;
  }

  public int inputs() {
    return inputs;
  }

  /** Which output of the matrix the first one is. */
  public int firstOutput() {
    return firstOutput;
  }

  public int outputs() {
    return outputs;
  }

  /** How many panels there are. */
  public int count() {
    return (outputs + WIDTH - 1) / WIDTH;
  }

  /** How many outputs a panel has, at most {@value #WIDTH}. */
  public int outputsOf(int panel) {
    return Math.min(WIDTH, outputs - panel * WIDTH);
  }

  /** Index of a panel's first element in the array. */
  public int begin(int panel) {
    return panel * parts * WIDTH;
  }

  /** Scales of all blocks as floats; empty for F32, F16 and BF16. */
  public float[] scales() {
    return scales;
  }

  /** Index of the first scale of a panel's block. */
  public int scalesBegin(int panel, int block) {
    return (panel * blocks() + block) * blockScales.count() * WIDTH;
  }

  /** Index of a block's first byte; of types that are neither F32 nor F16 nor BF16. */
  public int begin(int panel, int block) {
    return begin(panel) + block * (type.blockBytes() - blockScales.bytes()) * WIDTH;
  }

  /** All elements; F32 only. */
  public float[] floats() {
    return (float[]) elements;
  }

  /** All elements; F16 and BF16 only. */
  public short[] halves() {
    return (short[]) elements;
  }

  /** All elements; of types that are neither F32 nor F16 nor BF16. */
  public byte[] bytes() {
    return (byte[]) elements;
  }

  /** Whether a panel's weights are all finite numbers. */
  public boolean isFinite(int panel) {
    int length = parts * WIDTH;
    return switch (type) {
      case F32 -> Finite.all(floats(), begin(panel), length);
      case F16 -> isFinite(begin(panel), length, 0x7C00);
      case BF16 -> isFinite(begin(panel), length, 0x7F80);
      default -> Finite.all(scales, scalesBegin(panel, 0), blocks() * blockScales.count() * WIDTH);
    };
  }

  /** Whether the weights of some inputs are, for all outputs; F32, F16 and BF16 only. */
  public boolean isFinite(int fromInput, int toInput) {
    boolean finite = true;
    for (int panel = 0; panel < count(); panel++) {
      int from = begin(panel) + fromInput * WIDTH;
      int count = (toInput - fromInput) * WIDTH;
      finite &=
          type == TensorType.F32
              ? Finite.all(floats(), from, count)
              : isFinite(from, count, type == TensorType.F16 ? 0x7C00 : 0x7F80);
    }
    return finite;
  }

  /** Whether no half has all bits of its exponent. */
  private boolean isFinite(int from, int count, int exponent) {
    short[] all = halves();
    int found = 0;
    for (int i = from; i < from + count; i++) {
      found |= (all[i] & exponent) - exponent >> 31 ^ -1;
    }
    return found == 0;
  }

  /**
   * Copies bytes of all this as they lie in memory, elements and then scales.
   *
   * @param from first byte, that of an element or a scale
   * @param out filled from its position on as far as there are bytes left; in the machine's byte
   *     order, with room for whole floats
   * @return whether any were left
   */
  public boolean copy(long from, ByteBuffer out) {
    long ofElements = (long) count() * parts * WIDTH * partBytes(type);
    if (from >= ofElements) {
      int first = (int) ((from - ofElements) / Float.BYTES);
      int count = Math.min(out.remaining() / Float.BYTES, scales.length - first);
      out.asFloatBuffer().put(scales, first, count);
      out.position(out.position() + count * Float.BYTES);
      return count > 0;
    }
    int count = (int) Math.min(out.remaining(), ofElements - from);
    int first = (int) (from / partBytes(type));
    switch (type) {
      case F32 -> out.asFloatBuffer().put(floats(), first, count / Float.BYTES);
      case F16, BF16 -> out.asShortBuffer().put(halves(), first, count / Short.BYTES);
      default -> out.duplicate().put(bytes(), first, count);
    }
    out.position(out.position() + count);
    return true;
  }

  /** Bytes in memory. */
  public long size() {
    return size(type, inputs, outputs);
  }

  /** Bytes in memory of so many outputs. */
  public static long size(TensorType type, int inputs, int outputs) {
    long lanes = (outputs + WIDTH - 1L) / WIDTH * WIDTH;
    long ofScales =
        (long) inputs / type.blockElements() * BlockScales.of(type).count() * Float.BYTES;
    return lanes * (partsOf(type, inputs) * partBytes(type) + ofScales);
  }

  private static int partBytes(TensorType type) {
    return switch (type) {
      case F32 -> Float.BYTES;
      case F16, BF16 -> Short.BYTES;
      default -> 1;
    };
  }

  /**
   * Puts a panel's outputs in their place, F32 only.
   *
   * @param rows the weights of one output after another's
   * @param starts where each output's begin
   */
  void put(int panel, float[] rows, int[] starts) {
    float[] to = floats();
    for (int from = 0; from < parts; from += TOGETHER) {
      int end = Math.min(parts, from + TOGETHER);
      for (int lane = 0; lane < outputsOf(panel); lane++) {
        int source = starts[lane];
        int target = begin(panel) + lane;
        for (int part = from; part < end; part++) {
          to[target + part * WIDTH] = rows[source + part];
        }
      }
    }
  }

  /** The same of F16 and BF16. */
  void put(int panel, short[] rows, int[] starts) {
    short[] to = halves();
    for (int from = 0; from < parts; from += TOGETHER) {
      int end = Math.min(parts, from + TOGETHER);
      for (int lane = 0; lane < outputsOf(panel); lane++) {
        int source = starts[lane];
        int target = begin(panel) + lane;
        for (int part = from; part < end; part++) {
          to[target + part * WIDTH] = rows[source + part];
        }
      }
    }
  }

  /** The same of all other types, where rows are bytes, scales among them. */
  void put(int panel, byte[] rows, int[] starts) {
    byte[] to = bytes();
    int blockBytes = type.blockBytes();
    int taken = blockBytes - blockScales.bytes();
    int lanes = outputsOf(panel);
    int wholeLanes = lanes / ByteTile.SIZE * ByteTile.SIZE;
    int whole = taken / ByteTile.SIZE * ByteTile.SIZE;
    for (int block = 0; block < blocks(); block++) {
      int target = begin(panel, block);
      int skipped = block * blockBytes + blockScales.skip();
      for (int lane = 0; lane < wholeLanes; lane += ByteTile.SIZE) {
        for (int i = 0; i < whole; i += ByteTile.SIZE) {
          int at = target + i * WIDTH + lane;
          ByteTile.transpose(rows, starts, lane, skipped + i, to, at, WIDTH);
        }
      }
      boolean rest = wholeLanes < lanes || whole < taken;
      for (int lane = 0; rest && lane < lanes; lane++) {
        for (int i = lane < wholeLanes ? whole : 0; i < taken; i++) {
          to[target + i * WIDTH + lane] = rows[starts[lane] + skipped + i];
        }
      }
      putScales(scalesBegin(panel, block), lanes, rows, starts, block * blockBytes);
    }
  }

  private void putScales(int to, int lanes, byte[] rows, int[] starts, int block) {
    for (int scale = 0; scale < blockScales.count(); scale++) {
      int from = block + blockScales.at(scale);
      for (int lane = 0; lane < lanes; lane++) {
        scales[to + scale * WIDTH + lane] = HalfFloats.half(rows, starts[lane] + from);
      }
    }
  }

  /** Floats, halves or bytes that a row has in the file. */
  int rowLength() {
    return parts + blocks() * blockScales.bytes();
  }

  /**
   * The weights of one output, for lookups and for programs that want floats.
   *
   * @param output of these, from 0
   * @param out room for the inputs, from {@code at} on
   */
  void row(int output, float[] out, int at) {
    int from = begin(output / WIDTH) + output % WIDTH;
    switch (type) {
      case F32 -> {
        float[] all = floats();
        for (int i = 0; i < inputs; i++) {
          out[at + i] = all[from + i * WIDTH];
        }
      }
      case F16, BF16 -> {
        short[] all = halves();
        ByteBuffer stored = littleEndian(inputs * Short.BYTES);
        for (int i = 0; i < inputs; i++) {
          stored.putShort(all[from + i * WIDTH]);
        }
        type.expand(stored.flip(), FloatBuffer.wrap(out, at, inputs));
      }
      default -> {
        int panel = output / WIDTH;
        int lane = output % WIDTH;
        int taken = type.blockBytes() - blockScales.bytes();
        ByteBuffer stored = littleEndian(blocks() * type.blockBytes());
        for (int block = 0; block < blocks(); block++) {
          int start = block * type.blockBytes();
          for (int scale = 0; scale < blockScales.count(); scale++) {
            float value = scales[scalesBegin(panel, block) + scale * WIDTH + lane];
            stored.putShort(start + blockScales.at(scale), (short) HalfFloats.nearestHalf(value));
          }
          int first = start + blockScales.skip();
          int source = begin(panel, block) + lane;
          for (int i = 0; i < taken; i++) {
            stored.put(first + i, bytes()[source + i * WIDTH]);
          }
        }
        type.expand(stored, FloatBuffer.wrap(out, at, inputs));
      }
    }
  }

  private static ByteBuffer littleEndian(int bytes) {
    return ByteBuffer.allocate(bytes).order(ByteOrder.LITTLE_ENDIAN);
  }
}
