package kv4j.inference.kernel;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;

/**
 * Twelve independent chains of fused multiply-adds: enough to hide the latency of one on two units,
 * and few enough for the sixteen registers of AVX2.
 */
final class VectorFmaLoop implements FmaLoop {
  private static final VectorSpecies<Float> SPECIES = FloatVector.SPECIES_PREFERRED;
  private static final int CHAINS = 12;

  @Override
  public int flops() {
    return 2 * CHAINS * SPECIES.length();
  }

  @Override
  public float run(int iterations) {
    FloatVector factor = FloatVector.broadcast(SPECIES, 0.999f);
    FloatVector summand = FloatVector.broadcast(SPECIES, 0.001f);
    FloatVector x0 = FloatVector.broadcast(SPECIES, 0.1f);
    FloatVector x1 = FloatVector.broadcast(SPECIES, 0.2f);
    FloatVector x2 = FloatVector.broadcast(SPECIES, 0.3f);
    FloatVector x3 = FloatVector.broadcast(SPECIES, 0.4f);
    FloatVector x4 = FloatVector.broadcast(SPECIES, 0.5f);
    FloatVector x5 = FloatVector.broadcast(SPECIES, 0.6f);
    FloatVector x6 = FloatVector.broadcast(SPECIES, 0.7f);
    FloatVector x7 = FloatVector.broadcast(SPECIES, 0.8f);
    FloatVector x8 = FloatVector.broadcast(SPECIES, 0.9f);
    FloatVector x9 = FloatVector.broadcast(SPECIES, 1.1f);
    FloatVector x10 = FloatVector.broadcast(SPECIES, 1.2f);
    FloatVector x11 = FloatVector.broadcast(SPECIES, 1.3f);
    for (int i = 0; i < iterations; i++) {
      x0 = x0.fma(factor, summand);
      x1 = x1.fma(factor, summand);
      x2 = x2.fma(factor, summand);
      x3 = x3.fma(factor, summand);
      x4 = x4.fma(factor, summand);
      x5 = x5.fma(factor, summand);
      x6 = x6.fma(factor, summand);
      x7 = x7.fma(factor, summand);
      x8 = x8.fma(factor, summand);
      x9 = x9.fma(factor, summand);
      x10 = x10.fma(factor, summand);
      x11 = x11.fma(factor, summand);
    }
    FloatVector sum = x0.add(x1).add(x2).add(x3).add(x4).add(x5);
    sum = sum.add(x6).add(x7).add(x8).add(x9).add(x10).add(x11);
    return sum.reduceLanes(VectorOperators.ADD);
  }
}
