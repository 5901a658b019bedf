package kv4j.model.weight;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;

/**
 * Transposes 8 by 8 bytes, which as eight longs takes a fraction of the time (the swaps of ever
 * larger blocks are in Warren, Hacker's Delight, 2nd edition, section 7-3).
 */
final class ByteTile {
  /** Rows and columns. */
  static final int SIZE = 8;

  private static final VarHandle LONGS =
      MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);

  private ByteTile() {}

  /**
   * Makes rows columns.
   *
   * @param starts where eight rows begin in {@code from}, less {@code offset}, from element {@code
   *     first} on
   * @param to receives the columns from {@code at} on, {@code stride} apart
   */
  static void transpose(
      byte[] from, int[] starts, int first, int offset, byte[] to, int at, int stride) {
    long a = (long) LONGS.get(from, starts[first] + offset);
    long b = (long) LONGS.get(from, starts[first + 1] + offset);
    long c = (long) LONGS.get(from, starts[first + 2] + offset);
    long d = (long) LONGS.get(from, starts[first + 3] + offset);
    long e = (long) LONGS.get(from, starts[first + 4] + offset);
    long f = (long) LONGS.get(from, starts[first + 5] + offset);
    long g = (long) LONGS.get(from, starts[first + 6] + offset);
    long h = (long) LONGS.get(from, starts[first + 7] + offset);
    long ab = (a ^ b << 8) & 0xFF00FF00FF00FF00L;
    long cd = (c ^ d << 8) & 0xFF00FF00FF00FF00L;
    long ef = (e ^ f << 8) & 0xFF00FF00FF00FF00L;
    long gh = (g ^ h << 8) & 0xFF00FF00FF00FF00L;
    a ^= ab;
    b ^= ab >>> 8;
    c ^= cd;
    d ^= cd >>> 8;
    e ^= ef;
    f ^= ef >>> 8;
    g ^= gh;
    h ^= gh >>> 8;
    long ac = (a ^ c << 16) & 0xFFFF0000FFFF0000L;
    long bd = (b ^ d << 16) & 0xFFFF0000FFFF0000L;
    long eg = (e ^ g << 16) & 0xFFFF0000FFFF0000L;
    long fh = (f ^ h << 16) & 0xFFFF0000FFFF0000L;
    a ^= ac;
    c ^= ac >>> 16;
    b ^= bd;
    d ^= bd >>> 16;
    e ^= eg;
    g ^= eg >>> 16;
    f ^= fh;
    h ^= fh >>> 16;
    LONGS.set(to, at, a & 0xFFFFFFFFL | e << 32);
    LONGS.set(to, at + stride, b & 0xFFFFFFFFL | f << 32);
    LONGS.set(to, at + 2 * stride, c & 0xFFFFFFFFL | g << 32);
    LONGS.set(to, at + 3 * stride, d & 0xFFFFFFFFL | h << 32);
    LONGS.set(to, at + 4 * stride, a >>> 32 | e & 0xFFFFFFFF00000000L);
    LONGS.set(to, at + 5 * stride, b >>> 32 | f & 0xFFFFFFFF00000000L);
    LONGS.set(to, at + 6 * stride, c >>> 32 | g & 0xFFFFFFFF00000000L);
    LONGS.set(to, at + 7 * stride, d >>> 32 | h & 0xFFFFFFFF00000000L);
  }
}
