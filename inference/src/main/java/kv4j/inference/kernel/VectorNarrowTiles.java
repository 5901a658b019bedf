package kv4j.inference.kernel;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorSpecies;
import kv4j.model.weight.Panels;

/**
 * Tiles of 2 vectors, for processors with 16 vector registers: of six rows there are 12 sums, 2
 * vectors of weights and a broadcast. (4 rows by 3 vectors, or 3 by 4, would need 17: at half the
 * speed.)
 */
final class VectorNarrowTiles implements Tiles {
  private static final VectorSpecies<Float> LANES = VectorKernels.LANES;
  private static final int L = LANES.length();

  @Override
  public int columns() {
    return 2 * L;
  }

  @Override
  public void six(
      float[] x,
      int at,
      int stride,
      int depth,
      float[] w,
      int wAt,
      float[] out,
      int outAt,
      int outStride) {
    int x1 = at + stride;
    int x2 = x1 + stride;
    int x3 = x2 + stride;
    int x4 = x3 + stride;
    int x5 = x4 + stride;
    int o1 = outAt + outStride;
    int o2 = o1 + outStride;
    int o3 = o2 + outStride;
    int o4 = o3 + outStride;
    int o5 = o4 + outStride;
    FloatVector s00 = FloatVector.fromArray(LANES, out, outAt);
    FloatVector s01 = FloatVector.fromArray(LANES, out, outAt + L);
    FloatVector s10 = FloatVector.fromArray(LANES, out, o1);
    FloatVector s11 = FloatVector.fromArray(LANES, out, o1 + L);
    FloatVector s20 = FloatVector.fromArray(LANES, out, o2);
    FloatVector s21 = FloatVector.fromArray(LANES, out, o2 + L);
    FloatVector s30 = FloatVector.fromArray(LANES, out, o3);
    FloatVector s31 = FloatVector.fromArray(LANES, out, o3 + L);
    FloatVector s40 = FloatVector.fromArray(LANES, out, o4);
    FloatVector s41 = FloatVector.fromArray(LANES, out, o4 + L);
    FloatVector s50 = FloatVector.fromArray(LANES, out, o5);
    FloatVector s51 = FloatVector.fromArray(LANES, out, o5 + L);
    for (int k = 0; k < depth; k++) {
      int p = wAt + k * Panels.WIDTH;
      FloatVector w0 = FloatVector.fromArray(LANES, w, p);
      FloatVector w1 = FloatVector.fromArray(LANES, w, p + L);
      FloatVector v = FloatVector.broadcast(LANES, x[at + k]);
      s00 = v.fma(w0, s00);
      s01 = v.fma(w1, s01);
      v = FloatVector.broadcast(LANES, x[x1 + k]);
      s10 = v.fma(w0, s10);
      s11 = v.fma(w1, s11);
      v = FloatVector.broadcast(LANES, x[x2 + k]);
      s20 = v.fma(w0, s20);
      s21 = v.fma(w1, s21);
      v = FloatVector.broadcast(LANES, x[x3 + k]);
      s30 = v.fma(w0, s30);
      s31 = v.fma(w1, s31);
      v = FloatVector.broadcast(LANES, x[x4 + k]);
      s40 = v.fma(w0, s40);
      s41 = v.fma(w1, s41);
      v = FloatVector.broadcast(LANES, x[x5 + k]);
      s50 = v.fma(w0, s50);
      s51 = v.fma(w1, s51);
    }
    s00.intoArray(out, outAt);
    s01.intoArray(out, outAt + L);
    s10.intoArray(out, o1);
    s11.intoArray(out, o1 + L);
    s20.intoArray(out, o2);
    s21.intoArray(out, o2 + L);
    s30.intoArray(out, o3);
    s31.intoArray(out, o3 + L);
    s40.intoArray(out, o4);
    s41.intoArray(out, o4 + L);
    s50.intoArray(out, o5);
    s51.intoArray(out, o5 + L);
  }

  @Override
  public void three(
      float[] x,
      int at,
      int stride,
      int depth,
      float[] w,
      int wAt,
      float[] out,
      int outAt,
      int outStride) {
    int x1 = at + stride;
    int x2 = x1 + stride;
    int o1 = outAt + outStride;
    int o2 = o1 + outStride;
    FloatVector s00 = FloatVector.fromArray(LANES, out, outAt);
    FloatVector s01 = FloatVector.fromArray(LANES, out, outAt + L);
    FloatVector s10 = FloatVector.fromArray(LANES, out, o1);
    FloatVector s11 = FloatVector.fromArray(LANES, out, o1 + L);
    FloatVector s20 = FloatVector.fromArray(LANES, out, o2);
    FloatVector s21 = FloatVector.fromArray(LANES, out, o2 + L);
    for (int k = 0; k < depth; k++) {
      int p = wAt + k * Panels.WIDTH;
      FloatVector w0 = FloatVector.fromArray(LANES, w, p);
      FloatVector w1 = FloatVector.fromArray(LANES, w, p + L);
      FloatVector v = FloatVector.broadcast(LANES, x[at + k]);
      s00 = v.fma(w0, s00);
      s01 = v.fma(w1, s01);
      v = FloatVector.broadcast(LANES, x[x1 + k]);
      s10 = v.fma(w0, s10);
      s11 = v.fma(w1, s11);
      v = FloatVector.broadcast(LANES, x[x2 + k]);
      s20 = v.fma(w0, s20);
      s21 = v.fma(w1, s21);
    }
    s00.intoArray(out, outAt);
    s01.intoArray(out, outAt + L);
    s10.intoArray(out, o1);
    s11.intoArray(out, o1 + L);
    s20.intoArray(out, o2);
    s21.intoArray(out, o2 + L);
  }

  @Override
  public void two(
      float[] x,
      int at,
      int stride,
      int depth,
      float[] w,
      int wAt,
      float[] out,
      int outAt,
      int outStride) {
    int x1 = at + stride;
    int o1 = outAt + outStride;
    FloatVector s00 = FloatVector.fromArray(LANES, out, outAt);
    FloatVector s01 = FloatVector.fromArray(LANES, out, outAt + L);
    FloatVector s10 = FloatVector.fromArray(LANES, out, o1);
    FloatVector s11 = FloatVector.fromArray(LANES, out, o1 + L);
    for (int k = 0; k < depth; k++) {
      int p = wAt + k * Panels.WIDTH;
      FloatVector w0 = FloatVector.fromArray(LANES, w, p);
      FloatVector w1 = FloatVector.fromArray(LANES, w, p + L);
      FloatVector v = FloatVector.broadcast(LANES, x[at + k]);
      s00 = v.fma(w0, s00);
      s01 = v.fma(w1, s01);
      v = FloatVector.broadcast(LANES, x[x1 + k]);
      s10 = v.fma(w0, s10);
      s11 = v.fma(w1, s11);
    }
    s00.intoArray(out, outAt);
    s01.intoArray(out, outAt + L);
    s10.intoArray(out, o1);
    s11.intoArray(out, o1 + L);
  }

  @Override
  public void one(
      float[] x,
      int at,
      int stride,
      int depth,
      float[] w,
      int wAt,
      float[] out,
      int outAt,
      int outStride) {
    FloatVector s00 = FloatVector.fromArray(LANES, out, outAt);
    FloatVector s01 = FloatVector.fromArray(LANES, out, outAt + L);
    for (int k = 0; k < depth; k++) {
      int p = wAt + k * Panels.WIDTH;
      FloatVector w0 = FloatVector.fromArray(LANES, w, p);
      FloatVector w1 = FloatVector.fromArray(LANES, w, p + L);
      FloatVector v = FloatVector.broadcast(LANES, x[at + k]);
      s00 = v.fma(w0, s00);
      s01 = v.fma(w1, s01);
    }
    s00.intoArray(out, outAt);
    s01.intoArray(out, outAt + L);
  }
}
