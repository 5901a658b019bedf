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
      addScaled(scratch);
      return;
    }
    int scale = -1;
    int at = xAt;
    for (PanelRun run : PanelRun.of(type)) {
      if (run.scale() != scale) {
        scale = run.scale();
        VectorPanelScales.put(panels, panel, block, scale, scratch);
      }
      run(type, panels.bytes(), begin, run, x, at, scratch);
      at += run.count();
    }
  }

  private static void run(
      TensorType type,
      byte[] w,
      int block,
      PanelRun run,
      float[] x,
      int xAt,
      ProductScratch scratch) {
    float ofX = 0;
    for (int i = 0; i < run.count(); i++) {
      ofX += x[xAt + i];
    }
    if (VectorPanelScales.hasOffsets(type)) {
      for (int lane = 0; lane < Panels.WIDTH; lane += L) {
        FloatVector.fromArray(LANES, scratch.sums, lane)
            .sub(FloatVector.fromArray(LANES, scratch.offsets, lane).mul(ofX))
            .intoArray(scratch.sums, lane);
      }
    }
    float zero = VectorPanelScales.zero(type) * ofX;
    int low = block + run.low() * Panels.WIDTH;
    if (run.high() < 0) {
      fourBits(w, low, run.lowShift(), run.count(), zero, x, xAt, scratch);
    } else {
      moreBits(w, low, block + run.high() * Panels.WIDTH, run, zero, x, xAt, scratch);
    }
    addScaled(scratch);
  }

  private static void addScaled(ProductScratch scratch) {
    for (int lane = 0; lane < Panels.WIDTH; lane += L) {
      FloatVector.fromArray(LANES, scratch.unscaled, lane)
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

  private static void fourBits(
      byte[] w,
      int low,
      int shift,
      int count,
      float zero,
      float[] x,
      int xAt,
      ProductScratch scratch) {
    for (int lane = 0; lane < Panels.WIDTH; lane += 4 * L) {
      FloatVector s0 = FloatVector.broadcast(LANES, -zero);
      FloatVector s1 = s0;
      FloatVector s2 = s0;
      FloatVector s3 = s0;
      for (int i = 0; i < count; i++) {
        int at = low + lane + i * Panels.WIDTH;
        FloatVector v = FloatVector.broadcast(LANES, x[xAt + i]);
        IntVector b0 =
            (IntVector)
                ByteVector.fromArray(BYTES, w, at).convertShape(VectorOperators.B2I, INTS, 0);
        IntVector q0 = b0.lanewise(VectorOperators.LSHR, shift).and(15);
        s0 = v.fma((FloatVector) q0.convertShape(VectorOperators.I2F, LANES, 0), s0);
        IntVector b1 =
            (IntVector)
                ByteVector.fromArray(BYTES, w, at + L).convertShape(VectorOperators.B2I, INTS, 0);
        IntVector q1 = b1.lanewise(VectorOperators.LSHR, shift).and(15);
        s1 = v.fma((FloatVector) q1.convertShape(VectorOperators.I2F, LANES, 0), s1);
        IntVector b2 =
            (IntVector)
                ByteVector.fromArray(BYTES, w, at + 2 * L)
                    .convertShape(VectorOperators.B2I, INTS, 0);
        IntVector q2 = b2.lanewise(VectorOperators.LSHR, shift).and(15);
        s2 = v.fma((FloatVector) q2.convertShape(VectorOperators.I2F, LANES, 0), s2);
        IntVector b3 =
            (IntVector)
                ByteVector.fromArray(BYTES, w, at + 3 * L)
                    .convertShape(VectorOperators.B2I, INTS, 0);
        IntVector q3 = b3.lanewise(VectorOperators.LSHR, shift).and(15);
        s3 = v.fma((FloatVector) q3.convertShape(VectorOperators.I2F, LANES, 0), s3);
      }
      s0.intoArray(scratch.unscaled, lane);
      s1.intoArray(scratch.unscaled, lane + L);
      s2.intoArray(scratch.unscaled, lane + 2 * L);
      s3.intoArray(scratch.unscaled, lane + 3 * L);
    }
  }

  private static void moreBits(
      byte[] w,
      int low,
      int high,
      PanelRun run,
      float zero,
      float[] x,
      int xAt,
      ProductScratch scratch) {
    int step = run.highStep() * Panels.WIDTH;
    int shift = run.lowShift();
    int mask = run.highMask();
    int count = run.count();
    for (int lane = 0; lane < Panels.WIDTH; lane += 2 * L) {
      FloatVector s0 = FloatVector.broadcast(LANES, -zero);
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
