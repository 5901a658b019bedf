package kv4j.cache.block;

import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;

/**
 * Keys or values of one layer in one block, in the layout's element order. Knows how an element is
 * kept; {@link KvBlock} knows where.
 */
abstract class KvArray {
  /**
   * Rounds and stores one vector.
   *
   * @param at index of its first element, the next ones {@code stride} apart
   * @param vector which vector of this array it is: {@code head * blockTokens + slot}
   */
  abstract void put(float[] source, int from, int count, int at, int stride, int vector);

  /** Reads one vector back. */
  abstract void get(float[] out, int to, int count, int at, int stride, int vector);

  /** Copies elements to the same place of another array of the same kind. */
  abstract void copyElements(KvArray target, int at, int count);

  /** Copies the scales of vectors, if there are any. */
  void copyScales(KvArray target, int vector, int count) {}

  /** Turns the values of {@code count} consecutive tokens into floats, {@code [count, headDim]}. */
  abstract void expandValues(
      KvExpander expander, int at, int count, int headDim, int vector, float[] out, int to);

  /** Turns one tile of keys into floats, {@code [headDim, tileTokens]}. */
  abstract void expandTile(
      KvExpander expander, int at, int headDim, int tileTokens, int vector, float[] out, int to);

  /** Writes all elements, then all scales, in the buffer's byte order. */
  abstract void writeTo(ByteBuffer out);

  /** Reads what {@link #writeTo} wrote. */
  abstract void readFrom(ByteBuffer in);

  private static ByteBuffer take(ByteBuffer buffer, int bytes) {
    if (buffer.remaining() < bytes) {
      throw new BufferUnderflowException();
    }
    ByteBuffer part = buffer.slice(buffer.position(), bytes).order(buffer.order());
    buffer.position(buffer.position() + bytes);
    return part;
  }

  static final class Floats extends KvArray {
    final float[] elements;

    Floats(int size) {
      elements = new float[size];
    }

    @Override
    void put(float[] source, int from, int count, int at, int stride, int vector) {
      if (stride == 1) {
        System.arraycopy(source, from, elements, at, count);
      } else if (stride == KvLayout.TILE) {
        putInTile(source, from, count, at);
      } else {
        for (int i = 0; i < count; i++) {
          elements[at + i * stride] = source[from + i];
        }
      }
    }

    /**
     * With a constant stride the compiler checks bounds once, which makes this four times as fast.
     */
    private void putInTile(float[] source, int from, int count, int at) {
      for (int i = 0; i < count; i++) {
        elements[at + i * KvLayout.TILE] = source[from + i];
      }
    }

    @Override
    void get(float[] out, int to, int count, int at, int stride, int vector) {
      for (int i = 0; i < count; i++) {
        out[to + i] = elements[at + i * stride];
      }
    }

    @Override
    void writeTo(ByteBuffer out) {
      take(out, elements.length * Float.BYTES).asFloatBuffer().put(elements);
    }

    @Override
    void readFrom(ByteBuffer in) {
      take(in, elements.length * Float.BYTES).asFloatBuffer().get(elements);
    }

    @Override
    void copyElements(KvArray target, int at, int count) {
      System.arraycopy(elements, at, ((Floats) target).elements, at, count);
    }

    @Override
    void expandValues(
        KvExpander expander, int at, int count, int headDim, int vector, float[] out, int to) {
      System.arraycopy(elements, at, out, to, count * headDim);
    }

    @Override
    void expandTile(
        KvExpander expander, int at, int headDim, int tileTokens, int vector, float[] out, int to) {
      System.arraycopy(elements, at, out, to, tileTokens * headDim);
    }
  }

  static final class Shorts extends KvArray {
    private final short[] elements;
    private final boolean brain;

    /**
     * @param brain bfloat16, else IEEE half precision
     */
    Shorts(int size, boolean brain) {
      elements = new short[size];
      this.brain = brain;
    }

    @Override
    void put(float[] source, int from, int count, int at, int stride, int vector) {
      for (int i = 0; i < count; i++) {
        float value = source[from + i];
        elements[at + i * stride] = brain ? Float16.toBrain(value) : Float16.toHalf(value);
      }
    }

    @Override
    void get(float[] out, int to, int count, int at, int stride, int vector) {
      for (int i = 0; i < count; i++) {
        short bits = elements[at + i * stride];
        out[to + i] = brain ? Float16.fromBrain(bits) : Float16.fromHalf(bits);
      }
    }

    @Override
    void writeTo(ByteBuffer out) {
      take(out, elements.length * Short.BYTES).asShortBuffer().put(elements);
    }

    @Override
    void readFrom(ByteBuffer in) {
      take(in, elements.length * Short.BYTES).asShortBuffer().get(elements);
    }

    @Override
    void copyElements(KvArray target, int at, int count) {
      System.arraycopy(elements, at, ((Shorts) target).elements, at, count);
    }

    @Override
    void expandValues(
        KvExpander expander, int at, int count, int headDim, int vector, float[] out, int to) {
      expand(expander, at, count * headDim, out, to);
    }

    @Override
    void expandTile(
        KvExpander expander, int at, int headDim, int tileTokens, int vector, float[] out, int to) {
      expand(expander, at, tileTokens * headDim, out, to);
    }

    private void expand(KvExpander expander, int at, int count, float[] out, int to) {
      if (brain) {
        expander.bf16(elements, at, count, out, to);
      } else {
        expander.f16(elements, at, count, out, to);
      }
    }
  }

  static final class Bytes extends KvArray {
    private static final int LARGEST = 127;

    private final byte[] elements;
    private final float[] scales;

    Bytes(int size, int vectors) {
      elements = new byte[size];
      scales = new float[vectors];
    }

    @Override
    void put(float[] source, int from, int count, int at, int stride, int vector) {
      float largest = 0;
      for (int i = 0; i < count; i++) {
        largest = Math.max(largest, Math.abs(source[from + i]));
      }
      float scale = roundUp(largest / LARGEST);
      scales[vector] = scale;
      for (int i = 0; i < count; i++) {
        elements[at + i * stride] = (byte) Math.rint(source[from + i] / scale);
      }
    }

    /**
     * To 16 significant bits, so that scale times a byte is an exact float: what was read can be
     * stored again without changing.
     */
    private static float roundUp(float scale) {
      return Float.intBitsToFloat((Float.floatToIntBits(scale) + 0xFF) & ~0xFF);
    }

    @Override
    void get(float[] out, int to, int count, int at, int stride, int vector) {
      for (int i = 0; i < count; i++) {
        out[to + i] = elements[at + i * stride] * scales[vector];
      }
    }

    @Override
    void writeTo(ByteBuffer out) {
      take(out, elements.length).put(elements);
      take(out, scales.length * Float.BYTES).asFloatBuffer().put(scales);
    }

    @Override
    void readFrom(ByteBuffer in) {
      take(in, elements.length).get(elements);
      take(in, scales.length * Float.BYTES).asFloatBuffer().get(scales);
    }

    @Override
    void copyElements(KvArray target, int at, int count) {
      System.arraycopy(elements, at, ((Bytes) target).elements, at, count);
    }

    @Override
    void copyScales(KvArray target, int vector, int count) {
      System.arraycopy(scales, vector, ((Bytes) target).scales, vector, count);
    }

    @Override
    void expandValues(
        KvExpander expander, int at, int count, int headDim, int vector, float[] out, int to) {
      for (int t = 0; t < count; t++) {
        int from = t * headDim;
        expander.i8(elements, at + from, headDim, scales[vector + t], out, to + from);
      }
    }

    @Override
    void expandTile(
        KvExpander expander, int at, int headDim, int tileTokens, int vector, float[] out, int to) {
      expander.i8Tile(elements, at, headDim, tileTokens, scales, vector, out, to);
    }
  }
}
