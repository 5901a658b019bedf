package kv4j.inference.kernel;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.ShortVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;
import kv4j.model.weight.Panels;

/** One row times a panel of bfloat16. */
final class VectorBrainDot {
  private static final VectorSpecies<Float> LANES = VectorPanelScales.LANES;
  private static final int L = VectorPanelScales.L;
  private static final VectorSpecies<Integer> INTS = VectorPanelScales.INTS;
  private static final VectorSpecies<Short> SHORTS = VectorPanelExpander.SHORTS;

  private VectorBrainDot() {}

  static void run(short[] w, int from, int count, float[] x, int xAt, float[] sums) {
    for (int lane = 0; lane < Panels.WIDTH; lane += 4 * L) {
      FloatVector s0 = FloatVector.fromArray(LANES, sums, lane);
      FloatVector s1 = FloatVector.fromArray(LANES, sums, lane + L);
      FloatVector s2 = FloatVector.fromArray(LANES, sums, lane + 2 * L);
      FloatVector s3 = FloatVector.fromArray(LANES, sums, lane + 3 * L);
      for (int i = 0; i < count; i++) {
        int at = from + lane + i * Panels.WIDTH;
        FloatVector v = FloatVector.broadcast(LANES, x[xAt + i]);
        IntVector h0 =
            (IntVector)
                ShortVector.fromArray(SHORTS, w, at).convertShape(VectorOperators.S2I, INTS, 0);
        s0 = v.fma(h0.lanewise(VectorOperators.LSHL, 16).reinterpretAsFloats(), s0);
        IntVector h1 =
            (IntVector)
                ShortVector.fromArray(SHORTS, w, at + L).convertShape(VectorOperators.S2I, INTS, 0);
        s1 = v.fma(h1.lanewise(VectorOperators.LSHL, 16).reinterpretAsFloats(), s1);
        IntVector h2 =
            (IntVector)
                ShortVector.fromArray(SHORTS, w, at + 2 * L)
                    .convertShape(VectorOperators.S2I, INTS, 0);
        s2 = v.fma(h2.lanewise(VectorOperators.LSHL, 16).reinterpretAsFloats(), s2);
        IntVector h3 =
            (IntVector)
                ShortVector.fromArray(SHORTS, w, at + 3 * L)
                    .convertShape(VectorOperators.S2I, INTS, 0);
        s3 = v.fma(h3.lanewise(VectorOperators.LSHL, 16).reinterpretAsFloats(), s3);
      }
      s0.intoArray(sums, lane);
      s1.intoArray(sums, lane + L);
      s2.intoArray(sums, lane + 2 * L);
      s3.intoArray(sums, lane + 3 * L);
    }
  }
}
