package kv4j.inference.kernel;

import jdk.incubator.vector.ByteVector;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.ShortVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorShape;
import jdk.incubator.vector.VectorSpecies;
import kv4j.model.format.block.TensorType;
import kv4j.model.weight.Panels;

/** Expands panels to floats, each weight to the very float that its file's format says. */
final class VectorPanelExpander {
  private static final VectorSpecies<Float> LANES = VectorPanelScales.LANES;
  private static final int L = VectorPanelScales.L;
  private static final VectorSpecies<Integer> INTS = VectorPanelScales.INTS;
  private static final VectorSpecies<Byte> BYTES = VectorPanelScales.BYTES;

  /** As many shorts as there are lanes. */
  static final VectorSpecies<Short> SHORTS =
      VectorSpecies.of(short.class, VectorShape.forBitSize(LANES.vectorBitSize() / 2));

  private VectorPanelExpander() {}

  /**
   * Expands a stretch of a panel into {@link ProductScratch#weights}.
   *
   * @param input first input, that of a block
   * @param depth inputs, whole blocks
   */
  static void expand(Panels panels, int panel, int input, int depth, ProductScratch scratch) {
    TensorType type = panels.type();
    switch (type) {
      case F16 ->
          f16(panels.halves(), panels.begin(panel) + input * Panels.WIDTH, depth, scratch.weights);
      case BF16 ->
          bf16(panels.halves(), panels.begin(panel) + input * Panels.WIDTH, depth, scratch.weights);
      default -> blocks(panels, panel, input, depth, scratch);
    }
  }

  /**
   * What is subnormal as a half is taken for an integer: read as a float's bits it would be
   * subnormal too, which processors take a hundred cycles to multiply.
   */
  private static void f16(short[] w, int from, int depth, float[] out) {
    for (int i = 0; i < depth * Panels.WIDTH; i += L) {
      IntVector half =
          (IntVector)
              ShortVector.fromArray(SHORTS, w, from + i).convertShape(VectorOperators.S2I, INTS, 0);
      IntVector size = half.and(0x7FFF);
      FloatVector small =
          ((FloatVector) size.convertShape(VectorOperators.I2F, LANES, 0)).mul(0x1p-24f);
      size.lanewise(VectorOperators.LSHL, 13)
          .add(112 << 23)
          .blend(small.reinterpretAsInts(), size.compare(VectorOperators.LT, 0x400))
          .or(half.and(0x8000).lanewise(VectorOperators.LSHL, 16))
          .reinterpretAsFloats()
          .intoArray(out, i);
    }
  }

  private static void bf16(short[] w, int from, int depth, float[] out) {
    for (int i = 0; i < depth * Panels.WIDTH; i += L) {
      IntVector half =
          (IntVector)
              ShortVector.fromArray(SHORTS, w, from + i).convertShape(VectorOperators.S2I, INTS, 0);
      half.lanewise(VectorOperators.LSHL, 16).reinterpretAsFloats().intoArray(out, i);
    }
  }

  private static void blocks(
      Panels panels, int panel, int input, int depth, ProductScratch scratch) {
    int elements = panels.type().blockElements();
    for (int done = 0; done < depth; done += elements) {
      block(panels, panel, (input + done) / elements, done * Panels.WIDTH, scratch);
    }
  }

  private static void block(Panels panels, int panel, int block, int to, ProductScratch scratch) {
    TensorType type = panels.type();
    int begin = panels.begin(panel, block);
    if (type == TensorType.Q8_0) {
      VectorPanelScales.put(panels, panel, block, 0, scratch);
      eightBits(panels.bytes(), begin, type.blockElements(), scratch.scales, scratch.weights, to);
      return;
    }
    int scale = -1;
    for (PanelRun run : PanelRun.of(type)) {
      if (run.scale() != scale) {
        scale = run.scale();
        VectorPanelScales.put(panels, panel, block, scale, scratch);
      }
      run(type, panels.bytes(), begin, run, scratch, to);
      to += run.count() * Panels.WIDTH;
    }
  }

  private static void eightBits(
      byte[] w, int from, int count, float[] scales, float[] out, int to) {
    for (int lane = 0; lane < Panels.WIDTH; lane += L) {
      FloatVector scale = FloatVector.fromArray(LANES, scales, lane);
      for (int i = lane; i < count * Panels.WIDTH; i += Panels.WIDTH) {
        FloatVector number =
            (FloatVector)
                ByteVector.fromArray(BYTES, w, from + i)
                    .convertShape(VectorOperators.B2F, LANES, 0);
        number.mul(scale).intoArray(out, to + i);
      }
    }
  }

  private static void run(
      TensorType type, byte[] w, int block, PanelRun run, ProductScratch scratch, int to) {
    float[] out = scratch.weights;
    float zero = VectorPanelScales.zero(type);
    int low = block + run.low() * Panels.WIDTH;
    int high = block + run.high() * Panels.WIDTH;
    if (run.high() < 0) {
      fourBits(w, low, run.lowShift(), run.count(), zero, scratch.scales, out, to);
    } else {
      moreBits(w, low, high, run, zero, scratch.scales, out, to);
    }
    if (VectorPanelScales.hasOffsets(type)) {
      takeOff(scratch.offsets, run.count(), out, to);
    }
  }

  private static void fourBits(
      byte[] w, int low, int shift, int count, float zero, float[] scales, float[] out, int to) {
    for (int lane = 0; lane < Panels.WIDTH; lane += L) {
      FloatVector scale = FloatVector.fromArray(LANES, scales, lane);
      for (int i = lane; i < count * Panels.WIDTH; i += Panels.WIDTH) {
        IntVector bytes =
            (IntVector)
                ByteVector.fromArray(BYTES, w, low + i).convertShape(VectorOperators.B2I, INTS, 0);
        IntVector bits = bytes.lanewise(VectorOperators.LSHR, shift).and(15);
        FloatVector number = (FloatVector) bits.convertShape(VectorOperators.I2F, LANES, 0);
        number.sub(zero).mul(scale).intoArray(out, to + i);
      }
    }
  }

  private static void moreBits(
      byte[] w, int low, int high, PanelRun run, float zero, float[] scales, float[] out, int to) {
    int step = run.highStep() * Panels.WIDTH;
    int shift = run.lowShift();
    int mask = run.highMask();
    for (int lane = 0; lane < Panels.WIDTH; lane += L) {
      FloatVector scale = FloatVector.fromArray(LANES, scales, lane);
      int highShift = run.highShift();
      for (int i = 0; i < run.count(); i++, highShift += run.highShiftStep()) {
        IntVector lower =
            (IntVector)
                ByteVector.fromArray(BYTES, w, low + lane + i * Panels.WIDTH)
                    .convertShape(VectorOperators.B2I, INTS, 0);
        IntVector upper =
            (IntVector)
                ByteVector.fromArray(BYTES, w, high + lane + i * step)
                    .convertShape(VectorOperators.B2I, INTS, 0);
        IntVector above =
            upper
                .lanewise(VectorOperators.LSHR, highShift)
                .and(mask)
                .lanewise(VectorOperators.LSHL, 4);
        IntVector bits = lower.lanewise(VectorOperators.LSHR, shift).and(15).or(above);
        FloatVector number = (FloatVector) bits.convertShape(VectorOperators.I2F, LANES, 0);
        number.sub(zero).mul(scale).intoArray(out, to + i * Panels.WIDTH + lane);
      }
    }
  }

  private static void takeOff(float[] offsets, int count, float[] out, int to) {
    for (int lane = 0; lane < Panels.WIDTH; lane += L) {
      FloatVector offset = FloatVector.fromArray(LANES, offsets, lane);
      for (int i = to + lane; i < to + count * Panels.WIDTH; i += Panels.WIDTH) {
        FloatVector.fromArray(LANES, out, i).sub(offset).intoArray(out, i);
      }
    }
  }
}
