package kv4j.inference.kernel;

import jdk.incubator.vector.ByteVector;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;
import kv4j.model.format.block.TensorType;
import kv4j.model.weight.Panels;

/**
 * One row times a panel of packed weights, which are read once and never expanded in memory. The
 * numbers of a run are summed before they are scaled.
 */
final class VectorPanelDot {
  private static final VectorSpecies<Float> LANES = VectorPanelScales.LANES;
  private static final int L = VectorPanelScales.L;
  private static final VectorSpecies<Integer> INTS = VectorPanelScales.INTS;
  private static final VectorSpecies<Byte> BYTES = VectorPanelScales.BYTES;

  /** Halves of a byte. */
  private static final int LOWER = 0x0f;

  private static final int UPPER = 0xf0;

  private static final float SIXTEENTH = 1 / 16f;

  private VectorPanelDot() {}

  /**
   * Whether weights of a type need not be expanded first; halves take so long that it is as well.
   */
  static boolean takes(TensorType type) {
    return type != TensorType.F32 && type != TensorType.F16;
  }

  /**
   * Adds to a panel's outputs of a row.
   *
   * @param x the row, from {@code xAt} on
   * @param out the outputs, from {@code outAt} on
   */
  static void run(
      Panels panels,
      int panel,
      float[] x,
      int xAt,
      float[] out,
      int outAt,
      ProductScratch scratch) {
    float[] sums = scratch.sums;
    int count = panels.outputsOf(panel);
    System.arraycopy(out, outAt, sums, 0, count);
    if (panels.type() == TensorType.BF16) {
      VectorBrainDot.run(panels.halves(), panels.begin(panel), panels.inputs(), x, xAt, sums);
    } else {
      int elements = panels.type().blockElements();
      for (int block = 0; block * elements < panels.inputs(); block++) {
        block(panels, panel, block, x, xAt + block * elements, scratch);
      }
    }
    System.arraycopy(sums, 0, out, outAt, count);
  }

  private static void block(
      Panels panels, int panel, int block, float[] x, int xAt, ProductScratch scratch) {
    TensorType type = panels.type();
    int begin = panels.begin(panel, block);
    if (type == TensorType.Q8_0) {
      VectorPanelScales.put(panels, panel, block, 0, scratch);
      eightBits(panels.bytes(), begin, type.blockElements(), x, xAt, scratch);
      addScaled(0, scratch);
      return;
    }
    int scale = -1;
    int at = xAt;
    for (PanelRun run : PanelRun.of(type)) {
      if (run.scale() != scale) {
        scale = run.scale();
        VectorPanelScales.put(panels, panel, block, scale, scratch);
      }
      boolean upper = run.high() < 0 && run.lowShift() > 0; // summed up with the run before
      if (!upper) {
        sum(panels.bytes(), begin, run, x, at, scratch);
      }
      addOffset(type, run.count(), x, at, scratch);
      addScaled(upper ? Panels.WIDTH : 0, scratch);
      at += run.count();
    }
  }

  /** Sums of a run's numbers times a row; of those of four bits, the next run's as well. */
  private static void sum(
      byte[] w, int block, PanelRun run, float[] x, int xAt, ProductScratch scratch) {
    int low = block + run.low() * Panels.WIDTH;
    if (run.high() < 0) {
      fourBits(w, low, run.count(), x, xAt, scratch);
    } else {
      moreBits(w, low, block + run.high() * Panels.WIDTH, run, x, xAt, scratch);
    }
  }

  /** Adds what is taken off each of a run's numbers, before or after they are scaled. */
  private static void addOffset(
      TensorType type, int count, float[] x, int xAt, ProductScratch scratch) {
    float ofX = 0;
    for (int i = 0; i < count; i++) {
      ofX += x[xAt + i];
    }
    boolean scaled = VectorPanelScales.hasOffsets(type);
    float[] offsets = scaled ? scratch.offsets : scratch.scales;
    float factor = scaled ? ofX : VectorPanelScales.zero(type) * ofX;
    for (int lane = 0; lane < Panels.WIDTH; lane += L) {
      FloatVector.fromArray(LANES, scratch.sums, lane)
          .sub(FloatVector.fromArray(LANES, offsets, lane).mul(factor))
          .intoArray(scratch.sums, lane);
    }
  }

  private static void addScaled(int from, ProductScratch scratch) {
    for (int lane = 0; lane < Panels.WIDTH; lane += L) {
      FloatVector.fromArray(LANES, scratch.unscaled, from + lane)
          .fma(
              FloatVector.fromArray(LANES, scratch.scales, lane),
              FloatVector.fromArray(LANES, scratch.sums, lane))
          .intoArray(scratch.sums, lane);
    }
  }

  private static void eightBits(
      byte[] w, int from, int count, float[] x, int xAt, ProductScratch scratch) {
    for (int lane = 0; lane < Panels.WIDTH; lane += 4 * L) {
      FloatVector s0 = FloatVector.zero(LANES);
      FloatVector s1 = FloatVector.zero(LANES);
      FloatVector s2 = FloatVector.zero(LANES);
      FloatVector s3 = FloatVector.zero(LANES);
      for (int i = 0; i < count; i++) {
        int at = from + lane + i * Panels.WIDTH;
        FloatVector v = FloatVector.broadcast(LANES, x[xAt + i]);
        FloatVector n0 =
            (FloatVector)
                ByteVector.fromArray(BYTES, w, at).convertShape(VectorOperators.B2F, LANES, 0);
        s0 = v.fma(n0, s0);
        FloatVector n1 =
            (FloatVector)
                ByteVector.fromArray(BYTES, w, at + L).convertShape(VectorOperators.B2F, LANES, 0);
        s1 = v.fma(n1, s1);
        FloatVector n2 =
            (FloatVector)
                ByteVector.fromArray(BYTES, w, at + 2 * L)
                    .convertShape(VectorOperators.B2F, LANES, 0);
        s2 = v.fma(n2, s2);
        FloatVector n3 =
            (FloatVector)
                ByteVector.fromArray(BYTES, w, at + 3 * L)
                    .convertShape(VectorOperators.B2F, LANES, 0);
        s3 = v.fma(n3, s3);
      }
      s0.intoArray(scratch.unscaled, lane);
      s1.intoArray(scratch.unscaled, lane + L);
      s2.intoArray(scratch.unscaled, lane + 2 * L);
      s3.intoArray(scratch.unscaled, lane + 3 * L);
    }
  }

  /**
   * Of bytes whose lower halves are a run and whose upper halves the next. The upper ones stay
   * where they are, 16 times too large, and are multiplied by a sixteenth of the row instead.
   */
  private static void fourBits(
      byte[] w, int from, int count, float[] x, int xAt, ProductScratch scratch) {
    float[] sums = scratch.unscaled;
    for (int lane = 0; lane < Panels.WIDTH; lane += 4 * L) {
      FloatVector l0 = FloatVector.zero(LANES), l1 = l0, l2 = l0, l3 = l0;
      FloatVector u0 = l0, u1 = l0, u2 = l0, u3 = l0;
      for (int i = 0; i < count; i++) {
        int at = from + lane + i * Panels.WIDTH;
        FloatVector v = FloatVector.broadcast(LANES, x[xAt + i]);
        FloatVector u = FloatVector.broadcast(LANES, x[xAt + count + i] * SIXTEENTH);
        IntVector b0 =
            (IntVector)
                ByteVector.fromArray(BYTES, w, at).convertShape(VectorOperators.B2I, INTS, 0);
        l0 = v.fma((FloatVector) b0.and(LOWER).convertShape(VectorOperators.I2F, LANES, 0), l0);
        u0 = u.fma((FloatVector) b0.and(UPPER).convertShape(VectorOperators.I2F, LANES, 0), u0);
        IntVector b1 =
            (IntVector)
                ByteVector.fromArray(BYTES, w, at + L).convertShape(VectorOperators.B2I, INTS, 0);
        l1 = v.fma((FloatVector) b1.and(LOWER).convertShape(VectorOperators.I2F, LANES, 0), l1);
        u1 = u.fma((FloatVector) b1.and(UPPER).convertShape(VectorOperators.I2F, LANES, 0), u1);
        IntVector b2 =
            (IntVector)
                ByteVector.fromArray(BYTES, w, at + 2 * L)
                    .convertShape(VectorOperators.B2I, INTS, 0);
        l2 = v.fma((FloatVector) b2.and(LOWER).convertShape(VectorOperators.I2F, LANES, 0), l2);
        u2 = u.fma((FloatVector) b2.and(UPPER).convertShape(VectorOperators.I2F, LANES, 0), u2);
        IntVector b3 =
            (IntVector)
                ByteVector.fromArray(BYTES, w, at + 3 * L)
                    .convertShape(VectorOperators.B2I, INTS, 0);
        l3 = v.fma((FloatVector) b3.and(LOWER).convertShape(VectorOperators.I2F, LANES, 0), l3);
        u3 = u.fma((FloatVector) b3.and(UPPER).convertShape(VectorOperators.I2F, LANES, 0), u3);
      }
      l0.intoArray(sums, lane);
      l1.intoArray(sums, lane + L);
      l2.intoArray(sums, lane + 2 * L);
      l3.intoArray(sums, lane + 3 * L);
      u0.intoArray(sums, Panels.WIDTH + lane);
      u1.intoArray(sums, Panels.WIDTH + lane + L);
      u2.intoArray(sums, Panels.WIDTH + lane + 2 * L);
      u3.intoArray(sums, Panels.WIDTH + lane + 3 * L);
    }
  }

  private static void moreBits(
      byte[] w, int low, int high, PanelRun run, float[] x, int xAt, ProductScratch scratch) {
    int step = run.highStep() * Panels.WIDTH;
    int shift = run.lowShift();
    int mask = run.highMask();
    int count = run.count();
    for (int lane = 0; lane < Panels.WIDTH; lane += 2 * L) {
      FloatVector s0 = FloatVector.zero(LANES);
      FloatVector s1 = s0;
      int highShift = run.highShift();
      for (int i = 0; i < count; i++, highShift += run.highShiftStep()) {
        int lowAt = low + lane + i * Panels.WIDTH;
        int highAt = high + lane + i * step;
        FloatVector v = FloatVector.broadcast(LANES, x[xAt + i]);
        IntVector low0 =
            (IntVector)
                ByteVector.fromArray(BYTES, w, lowAt).convertShape(VectorOperators.B2I, INTS, 0);
        IntVector high0 =
            (IntVector)
                ByteVector.fromArray(BYTES, w, highAt).convertShape(VectorOperators.B2I, INTS, 0);
        IntVector above0 =
            high0
                .lanewise(VectorOperators.LSHR, highShift)
                .and(mask)
                .lanewise(VectorOperators.LSHL, 4);
        IntVector q0 = low0.lanewise(VectorOperators.LSHR, shift).and(15).or(above0);
        s0 = v.fma((FloatVector) q0.convertShape(VectorOperators.I2F, LANES, 0), s0);
        IntVector low1 =
            (IntVector)
                ByteVector.fromArray(BYTES, w, lowAt + L)
                    .convertShape(VectorOperators.B2I, INTS, 0);
        IntVector high1 =
            (IntVector)
                ByteVector.fromArray(BYTES, w, highAt + L)
                    .convertShape(VectorOperators.B2I, INTS, 0);
        IntVector above1 =
            high1
                .lanewise(VectorOperators.LSHR, highShift)
                .and(mask)
                .lanewise(VectorOperators.LSHL, 4);
        IntVector q1 = low1.lanewise(VectorOperators.LSHR, shift).and(15).or(above1);
        s1 = v.fma((FloatVector) q1.convertShape(VectorOperators.I2F, LANES, 0), s1);
      }
      s0.intoArray(scratch.unscaled, lane);
      s1.intoArray(scratch.unscaled, lane + L);
    }
  }
}
