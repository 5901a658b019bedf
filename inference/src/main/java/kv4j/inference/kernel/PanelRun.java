package kv4j.inference.kernel;

import kv4j.model.format.block.TensorType;

/**
 * Inputs next to each other in a block, as panels have it without its binary16 scales, whose
 * numbers lie alike and share a scale. Number {@code i} has its lower four bits in byte {@code low
 * + i} of the block, shifted by {@code lowShift}, and what it has above them, if anything, in byte
 * {@code high + i * highStep}, shifted by {@code highShift + i * highShiftStep}.
 *
 * @param count inputs
 * @param low where the lower bits begin
 * @param lowShift 0 or 4
 * @param high where the upper bits begin; negative if there are none
 * @param highMask which of them count
 * @param scale which of the block's scales
 */
record PanelRun(
    int count,
    int low,
    int lowShift,
    int high,
    int highStep,
    int highShift,
    int highShiftStep,
    int highMask,
    int scale) {
  private static final PanelRun[] Q4 = {fourBits(16, 0, 0, 0), fourBits(16, 0, 4, 0)};
  private static final PanelRun[] Q5 = fiveBits();
  private static final PanelRun[] Q4_K = superBlock(false);
  private static final PanelRun[] Q5_K = superBlock(true);
  private static final PanelRun[] Q6_K = sixBits();

  /** The runs of a block of a type with numbers of four to six bits, in order. */
  static PanelRun[] of(TensorType type) {
    return switch (type) {
      case Q4_0, Q4_1 -> Q4;
      case Q5_0, Q5_1 -> Q5;
      case Q4_K -> Q4_K;
      case Q5_K -> Q5_K;
      case Q6_K -> Q6_K;
      default -> throw new IllegalArgumentException(type + " has no runs");
    };
  }

  private static PanelRun fourBits(int count, int low, int lowShift, int scale) {
    return new PanelRun(count, low, lowShift, -1, 0, 0, 0, 0, scale);
  }

  /** A block's fifth bits are a word of 32: four runs of 8, each with one byte of it. */
  private static PanelRun[] fiveBits() {
    PanelRun[] runs = new PanelRun[4];
    for (int run = 0; run < 4; run++) {
      runs[run] = new PanelRun(8, 4 + run % 2 * 8, run / 2 * 4, run, 0, 0, 1, 1, 0);
    }
    return runs;
  }

  private static PanelRun[] superBlock(boolean fifthBit) {
    PanelRun[] runs = new PanelRun[8];
    for (int run = 0; run < 8; run++) {
      int low = (fifthBit ? 44 : 12) + run / 2 * 32;
      int shift = run % 2 * 4;
      runs[run] =
          fifthBit
              ? new PanelRun(32, low, shift, 12, 1, run, 0, 1, run)
              : fourBits(32, low, shift, run);
    }
    return runs;
  }

  /** Groups of 16 have a scale; see Q6_K in {@code SuperBlocks}. */
  private static PanelRun[] sixBits() {
    PanelRun[] runs = new PanelRun[16];
    for (int run = 0; run < 16; run++) {
      int side = run / 8;
      int inSide = run / 2 % 4;
      int at = run % 2 * 16;
      int low = side * 64 + inSide % 2 * 32 + at;
      int high = 128 + side * 32 + at;
      runs[run] = new PanelRun(16, low, inSide / 2 * 4, high, 1, 2 * inSide, 0, 3, run);
    }
    return runs;
  }
}
