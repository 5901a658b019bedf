package kv4j.inference.kernel;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorSpecies;
import kv4j.model.weight.Panels;

/**
 * Tiles of 4 vectors, for processors with 32 vector registers: of six rows there are 24 sums, 4
 * vectors of weights and a broadcast. Vectors stay in local variables, as C2 keeps no array of them
 * in registers; hence so many lines.
 */
final class VectorWideTiles implements Tiles {
  private static final VectorSpecies<Float> LANES = VectorKernels.LANES;
  private static final int L = LANES.length();

  @Override
  public int columns() {
    return 4 * L;
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
    FloatVector s02 = FloatVector.fromArray(LANES, out, outAt + 2 * L);
    FloatVector s03 = FloatVector.fromArray(LANES, out, outAt + 3 * L);
    FloatVector s10 = FloatVector.fromArray(LANES, out, o1);
    FloatVector s11 = FloatVector.fromArray(LANES, out, o1 + L);
    FloatVector s12 = FloatVector.fromArray(LANES, out, o1 + 2 * L);
    FloatVector s13 = FloatVector.fromArray(LANES, out, o1 + 3 * L);
    FloatVector s20 = FloatVector.fromArray(LANES, out, o2);
    FloatVector s21 = FloatVector.fromArray(LANES, out, o2 + L);
    FloatVector s22 = FloatVector.fromArray(LANES, out, o2 + 2 * L);
    FloatVector s23 = FloatVector.fromArray(LANES, out, o2 + 3 * L);
    FloatVector s30 = FloatVector.fromArray(LANES, out, o3);
    FloatVector s31 = FloatVector.fromArray(LANES, out, o3 + L);
    FloatVector s32 = FloatVector.fromArray(LANES, out, o3 + 2 * L);
    FloatVector s33 = FloatVector.fromArray(LANES, out, o3 + 3 * L);
    FloatVector s40 = FloatVector.fromArray(LANES, out, o4);
    FloatVector s41 = FloatVector.fromArray(LANES, out, o4 + L);
    FloatVector s42 = FloatVector.fromArray(LANES, out, o4 + 2 * L);
    FloatVector s43 = FloatVector.fromArray(LANES, out, o4 + 3 * L);
    FloatVector s50 = FloatVector.fromArray(LANES, out, o5);
    FloatVector s51 = FloatVector.fromArray(LANES, out, o5 + L);
    FloatVector s52 = FloatVector.fromArray(LANES, out, o5 + 2 * L);
    FloatVector s53 = FloatVector.fromArray(LANES, out, o5 + 3 * L);
    for (int k = 0; k < depth; k++) {
      int p = wAt + k * Panels.WIDTH;
      FloatVector w0 = FloatVector.fromArray(LANES, w, p);
      FloatVector w1 = FloatVector.fromArray(LANES, w, p + L);
      FloatVector w2 = FloatVector.fromArray(LANES, w, p + 2 * L);
      FloatVector w3 = FloatVector.fromArray(LANES, w, p + 3 * L);
      FloatVector v = FloatVector.broadcast(LANES, x[at + k]);
      s00 = v.fma(w0, s00);
      s01 = v.fma(w1, s01);
      s02 = v.fma(w2, s02);
      s03 = v.fma(w3, s03);
      v = FloatVector.broadcast(LANES, x[x1 + k]);
      s10 = v.fma(w0, s10);
      s11 = v.fma(w1, s11);
      s12 = v.fma(w2, s12);
      s13 = v.fma(w3, s13);
      v = FloatVector.broadcast(LANES, x[x2 + k]);
      s20 = v.fma(w0, s20);
      s21 = v.fma(w1, s21);
      s22 = v.fma(w2, s22);
      s23 = v.fma(w3, s23);
      v = FloatVector.broadcast(LANES, x[x3 + k]);
      s30 = v.fma(w0, s30);
      s31 = v.fma(w1, s31);
      s32 = v.fma(w2, s32);
      s33 = v.fma(w3, s33);
      v = FloatVector.broadcast(LANES, x[x4 + k]);
      s40 = v.fma(w0, s40);
      s41 = v.fma(w1, s41);
      s42 = v.fma(w2, s42);
      s43 = v.fma(w3, s43);
      v = FloatVector.broadcast(LANES, x[x5 + k]);
      s50 = v.fma(w0, s50);
      s51 = v.fma(w1, s51);
      s52 = v.fma(w2, s52);
      s53 = v.fma(w3, s53);
    }
    s00.intoArray(out, outAt);
    s01.intoArray(out, outAt + L);
    s02.intoArray(out, outAt + 2 * L);
    s03.intoArray(out, outAt + 3 * L);
    s10.intoArray(out, o1);
    s11.intoArray(out, o1 + L);
    s12.intoArray(out, o1 + 2 * L);
    s13.intoArray(out, o1 + 3 * L);
    s20.intoArray(out, o2);
    s21.intoArray(out, o2 + L);
    s22.intoArray(out, o2 + 2 * L);
    s23.intoArray(out, o2 + 3 * L);
    s30.intoArray(out, o3);
    s31.intoArray(out, o3 + L);
    s32.intoArray(out, o3 + 2 * L);
    s33.intoArray(out, o3 + 3 * L);
    s40.intoArray(out, o4);
    s41.intoArray(out, o4 + L);
    s42.intoArray(out, o4 + 2 * L);
    s43.intoArray(out, o4 + 3 * L);
    s50.intoArray(out, o5);
    s51.intoArray(out, o5 + L);
    s52.intoArray(out, o5 + 2 * L);
    s53.intoArray(out, o5 + 3 * L);
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
    FloatVector s02 = FloatVector.fromArray(LANES, out, outAt + 2 * L);
    FloatVector s03 = FloatVector.fromArray(LANES, out, outAt + 3 * L);
    FloatVector s10 = FloatVector.fromArray(LANES, out, o1);
    FloatVector s11 = FloatVector.fromArray(LANES, out, o1 + L);
    FloatVector s12 = FloatVector.fromArray(LANES, out, o1 + 2 * L);
    FloatVector s13 = FloatVector.fromArray(LANES, out, o1 + 3 * L);
    FloatVector s20 = FloatVector.fromArray(LANES, out, o2);
    FloatVector s21 = FloatVector.fromArray(LANES, out, o2 + L);
    FloatVector s22 = FloatVector.fromArray(LANES, out, o2 + 2 * L);
    FloatVector s23 = FloatVector.fromArray(LANES, out, o2 + 3 * L);
    for (int k = 0; k < depth; k++) {
      int p = wAt + k * Panels.WIDTH;
      FloatVector w0 = FloatVector.fromArray(LANES, w, p);
      FloatVector w1 = FloatVector.fromArray(LANES, w, p + L);
      FloatVector w2 = FloatVector.fromArray(LANES, w, p + 2 * L);
      FloatVector w3 = FloatVector.fromArray(LANES, w, p + 3 * L);
      FloatVector v = FloatVector.broadcast(LANES, x[at + k]);
      s00 = v.fma(w0, s00);
      s01 = v.fma(w1, s01);
      s02 = v.fma(w2, s02);
      s03 = v.fma(w3, s03);
      v = FloatVector.broadcast(LANES, x[x1 + k]);
      s10 = v.fma(w0, s10);
      s11 = v.fma(w1, s11);
      s12 = v.fma(w2, s12);
      s13 = v.fma(w3, s13);
      v = FloatVector.broadcast(LANES, x[x2 + k]);
      s20 = v.fma(w0, s20);
      s21 = v.fma(w1, s21);
      s22 = v.fma(w2, s22);
      s23 = v.fma(w3, s23);
    }
    s00.intoArray(out, outAt);
    s01.intoArray(out, outAt + L);
    s02.intoArray(out, outAt + 2 * L);
    s03.intoArray(out, outAt + 3 * L);
    s10.intoArray(out, o1);
    s11.intoArray(out, o1 + L);
    s12.intoArray(out, o1 + 2 * L);
    s13.intoArray(out, o1 + 3 * L);
    s20.intoArray(out, o2);
    s21.intoArray(out, o2 + L);
    s22.intoArray(out, o2 + 2 * L);
    s23.intoArray(out, o2 + 3 * L);
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
    FloatVector s02 = FloatVector.fromArray(LANES, out, outAt + 2 * L);
    FloatVector s03 = FloatVector.fromArray(LANES, out, outAt + 3 * L);
    FloatVector s10 = FloatVector.fromArray(LANES, out, o1);
    FloatVector s11 = FloatVector.fromArray(LANES, out, o1 + L);
    FloatVector s12 = FloatVector.fromArray(LANES, out, o1 + 2 * L);
    FloatVector s13 = FloatVector.fromArray(LANES, out, o1 + 3 * L);
    for (int k = 0; k < depth; k++) {
      int p = wAt + k * Panels.WIDTH;
      FloatVector w0 = FloatVector.fromArray(LANES, w, p);
      FloatVector w1 = FloatVector.fromArray(LANES, w, p + L);
      FloatVector w2 = FloatVector.fromArray(LANES, w, p + 2 * L);
      FloatVector w3 = FloatVector.fromArray(LANES, w, p + 3 * L);
      FloatVector v = FloatVector.broadcast(LANES, x[at + k]);
      s00 = v.fma(w0, s00);
      s01 = v.fma(w1, s01);
      s02 = v.fma(w2, s02);
      s03 = v.fma(w3, s03);
      v = FloatVector.broadcast(LANES, x[x1 + k]);
      s10 = v.fma(w0, s10);
      s11 = v.fma(w1, s11);
      s12 = v.fma(w2, s12);
      s13 = v.fma(w3, s13);
    }
    s00.intoArray(out, outAt);
    s01.intoArray(out, outAt + L);
    s02.intoArray(out, outAt + 2 * L);
    s03.intoArray(out, outAt + 3 * L);
    s10.intoArray(out, o1);
    s11.intoArray(out, o1 + L);
    s12.intoArray(out, o1 + 2 * L);
    s13.intoArray(out, o1 + 3 * L);
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
    FloatVector s02 = FloatVector.fromArray(LANES, out, outAt + 2 * L);
    FloatVector s03 = FloatVector.fromArray(LANES, out, outAt + 3 * L);
    for (int k = 0; k < depth; k++) {
      int p = wAt + k * Panels.WIDTH;
      FloatVector w0 = FloatVector.fromArray(LANES, w, p);
      FloatVector w1 = FloatVector.fromArray(LANES, w, p + L);
      FloatVector w2 = FloatVector.fromArray(LANES, w, p + 2 * L);
      FloatVector w3 = FloatVector.fromArray(LANES, w, p + 3 * L);
      FloatVector v = FloatVector.broadcast(LANES, x[at + k]);
      s00 = v.fma(w0, s00);
      s01 = v.fma(w1, s01);
      s02 = v.fma(w2, s02);
      s03 = v.fma(w3, s03);
    }
    s00.intoArray(out, outAt);
    s01.intoArray(out, outAt + L);
    s02.intoArray(out, outAt + 2 * L);
    s03.intoArray(out, outAt + 3 * L);
  }
}
