package kv4j.inference.kernel;

import jdk.incubator.vector.ByteVector;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.ShortVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorShape;
import jdk.incubator.vector.VectorSpecies;
import kv4j.cache.block.KvExpander;

/** Expands 16-bit and 8-bit keys and values on the Java Vector API. */
final class VectorExpander extends KvExpander {
  private static final VectorSpecies<Float> LANES = VectorKernels.LANES;
  private static final int L = LANES.length();
  private static final VectorSpecies<Integer> INTS =
      VectorSpecies.of(int.class, LANES.vectorShape());

  /** As many shorts as there are lanes. */
  private static final VectorSpecies<Short> SHORTS =
      VectorSpecies.of(short.class, VectorShape.forBitSize(LANES.vectorBitSize() / 2));

  /** As many bytes as there are lanes; but vectors have at least 64 bits, 8 bytes. */
  private static final boolean BYTES_FIT = L >= 8;

  private static final VectorSpecies<Byte> BYTES =
      VectorSpecies.of(byte.class, VectorShape.forBitSize(Math.max(64, LANES.vectorBitSize() / 4)));

  @Override
  public void f16(short[] in, int from, int count, float[] out, int to) {
    int i = 0;
    for (; i <= count - L; i += L) {
      IntVector half =
          (IntVector)
              ShortVector.fromArray(SHORTS, in, from + i)
                  .convertShape(VectorOperators.S2I, INTS, 0);
      // What is subnormal is taken for an integer: floats that are cost a hundred cycles each.
      IntVector size = half.and(0x7FFF);
      FloatVector small =
          ((FloatVector) size.convertShape(VectorOperators.I2F, LANES, 0)).mul(0x1p-24f);
      FloatVector value =
          size.lanewise(VectorOperators.LSHL, 13)
              .add(112 << 23)
              .blend(small.reinterpretAsInts(), size.compare(VectorOperators.LT, 0x400))
              .reinterpretAsFloats();
      IntVector bits =
          value.reinterpretAsInts().or(half.and(0x8000).lanewise(VectorOperators.LSHL, 16));
      VectorMask<Integer> infinite = value.compare(VectorOperators.GE, 65536).cast(INTS);
      bits.blend(bits.or(0x7F800000), infinite).reinterpretAsFloats().intoArray(out, to + i);
    }
    super.f16(in, from + i, count - i, out, to + i);
  }

  @Override
  public void bf16(short[] in, int from, int count, float[] out, int to) {
    int i = 0;
    for (; i <= count - L; i += L) {
      IntVector half =
          (IntVector)
              ShortVector.fromArray(SHORTS, in, from + i)
                  .convertShape(VectorOperators.S2I, INTS, 0);
      half.lanewise(VectorOperators.LSHL, 16).reinterpretAsFloats().intoArray(out, to + i);
    }
    super.bf16(in, from + i, count - i, out, to + i);
  }

  @Override
  public void i8(byte[] in, int from, int count, float scale, float[] out, int to) {
    int i = 0;
    for (; BYTES_FIT && i <= count - L; i += L) {
      FloatVector number =
          (FloatVector)
              ByteVector.fromArray(BYTES, in, from + i).convertShape(VectorOperators.B2F, LANES, 0);
      number.mul(scale).intoArray(out, to + i);
    }
    super.i8(in, from + i, count - i, scale, out, to + i);
  }

  @Override
  public void i8Tile(
      byte[] in,
      int from,
      int headDim,
      int tileTokens,
      float[] scales,
      int scalesAt,
      float[] out,
      int to) {
    if (!BYTES_FIT || tileTokens % L != 0) {
      super.i8Tile(in, from, headDim, tileTokens, scales, scalesAt, out, to);
      return;
    }
    for (int t = 0; t < tileTokens; t += L) {
      FloatVector scale = FloatVector.fromArray(LANES, scales, scalesAt + t);
      for (int d = 0; d < headDim; d++) {
        int i = d * tileTokens + t;
        FloatVector number =
            (FloatVector)
                ByteVector.fromArray(BYTES, in, from + i)
                    .convertShape(VectorOperators.B2F, LANES, 0);
        number.mul(scale).intoArray(out, to + i);
      }
    }
  }
}
