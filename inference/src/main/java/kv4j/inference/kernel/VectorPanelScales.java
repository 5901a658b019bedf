package kv4j.inference.kernel;

import jdk.incubator.vector.ByteVector;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorShape;
import jdk.incubator.vector.VectorSpecies;
import kv4j.model.format.block.TensorType;
import kv4j.model.weight.Panels;

/**
 * The scales of a block, and what is taken off its weights, for all outputs of a panel.
 *
 * <p>Here and wherever vectors are computed with, methods take and return none, however often an
 * expression comes again: where C2 chooses not to inline a method, it makes objects of them.
 */
final class VectorPanelScales {
  static final VectorSpecies<Float> LANES = VectorKernels.LANES;
  static final int L = LANES.length();
  static final VectorSpecies<Integer> INTS = VectorSpecies.of(int.class, LANES.vectorShape());

  /** As many bytes as there are lanes; but vectors have at least 64 bits, 8 bytes. */
  static final VectorSpecies<Byte> BYTES =
      VectorSpecies.of(byte.class, VectorShape.forBitSize(Math.max(64, LANES.vectorBitSize() / 4)));

  private VectorPanelScales() {}

  /** What is taken off a number before it is scaled. */
  static int zero(TensorType type) {
    return switch (type) {
      case Q4_0 -> 8;
      case Q5_0 -> 16;
      case Q6_K -> 32;
      default -> 0;
    };
  }

  /** Whether something is taken off (or, if negative, added to) a scaled number. */
  static boolean hasOffsets(TensorType type) {
    return switch (type) {
      case Q4_1, Q5_1, Q4_K, Q5_K -> true;
      default -> false;
    };
  }

  /**
   * Puts the scales of a block's group of inputs, and what is taken off, into the scratch.
   *
   * @param scale number of the group
   */
  static void put(Panels panels, int panel, int block, int scale, ProductScratch scratch) {
    float[] scales = panels.scales();
    int at = panels.scalesBegin(panel, block);
    System.arraycopy(scales, at, scratch.scales, 0, Panels.WIDTH);
    switch (panels.type()) {
      case Q4_0, Q5_0, Q8_0 -> {}
      case Q4_1, Q5_1 -> {
        for (int lane = 0; lane < Panels.WIDTH; lane++) {
          scratch.offsets[lane] = -scales[at + Panels.WIDTH + lane];
        }
      }
      case Q4_K, Q5_K -> {
        System.arraycopy(scales, at + Panels.WIDTH, scratch.offsets, 0, Panels.WIDTH);
        int codes = panels.begin(panel, block);
        timesSixBits(panels.bytes(), codes, scale, 0, scratch.scales);
        timesSixBits(panels.bytes(), codes, scale, 4, scratch.offsets);
      }
      case Q6_K -> {
        int codes = panels.begin(panel, block) + 192 * Panels.WIDTH;
        timesBytes(panels.bytes(), codes + scale * Panels.WIDTH, scratch.scales);
      }
      default -> throw new IllegalArgumentException(panels.type() + " has no scales");
    }
  }

  private static void timesBytes(byte[] w, int at, float[] out) {
    for (int lane = 0; lane < Panels.WIDTH; lane += L) {
      FloatVector.fromArray(LANES, out, lane)
          .mul(
              (FloatVector)
                  ByteVector.fromArray(BYTES, w, at + lane)
                      .convertShape(VectorOperators.B2F, LANES, 0))
          .intoArray(out, lane);
    }
  }

  /** See {@code SuperBlocks}: scales from {@code first} 0 on, minima from 4 on. */
  private static void timesSixBits(byte[] w, int codes, int group, int first, float[] out) {
    if (group < 4) {
      int at = codes + (first + group) * Panels.WIDTH;
      for (int lane = 0; lane < Panels.WIDTH; lane += L) {
        IntVector bits =
            ((IntVector)
                    ByteVector.fromArray(BYTES, w, at + lane)
                        .convertShape(VectorOperators.B2I, INTS, 0))
                .and(63);
        FloatVector code = (FloatVector) bits.convertShape(VectorOperators.I2F, LANES, 0);
        FloatVector.fromArray(LANES, out, lane).mul(code).intoArray(out, lane);
      }
      return;
    }
    int low = codes + (4 + group) * Panels.WIDTH;
    int high = codes + (first + group - 4) * Panels.WIDTH;
    for (int lane = 0; lane < Panels.WIDTH; lane += L) {
      IntVector lower =
          ((IntVector)
                  ByteVector.fromArray(BYTES, w, low + lane)
                      .convertShape(VectorOperators.B2I, INTS, 0))
              .lanewise(VectorOperators.LSHR, first)
              .and(15);
      IntVector upper =
          ((IntVector)
                  ByteVector.fromArray(BYTES, w, high + lane)
                      .convertShape(VectorOperators.B2I, INTS, 0))
              .lanewise(VectorOperators.LSHR, 6)
              .and(3);
      IntVector bits = lower.or(upper.lanewise(VectorOperators.LSHL, 4));
      FloatVector code = (FloatVector) bits.convertShape(VectorOperators.I2F, LANES, 0);
      FloatVector.fromArray(LANES, out, lane).mul(code).intoArray(out, lane);
    }
  }
}
