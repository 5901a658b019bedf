package kv4j.inference.kernel;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Random;
import java.util.stream.IntStream;
import kv4j.model.format.block.TensorType;
import kv4j.model.weight.PanelMatrix;
import kv4j.model.weight.PanelPacker;
import kv4j.model.weight.Panels;

/** Matrices of random weights as files of some type have them. */
final class RandomPanels {
  private RandomPanels() {}

  /**
   * @param types of outputs that stand side by side
   * @param outputs of each type
   */
  static PanelMatrix of(Random random, int inputs, TensorType[] types, int... outputs) {
    PanelPacker packer = new PanelPacker(inputs, false);
    PanelPacker.Scratch scratch = new PanelPacker.Scratch();
    for (int i = 0; i < types.length; i++) {
      Panels panels = packer.add(types[i], outputs[i]);
      for (int panel = 0; panel < panels.count(); panel++) {
        int rows = panels.outputsOf(panel);
        ByteBuffer stored = stored(random, types[i], inputs * rows);
        PanelPacker.put(panels, panel, stored, IntStream.range(0, rows).toArray(), scratch);
      }
    }
    return packer.matrix();
  }

  /** Blocks of random bits, with scales that make weights of about 1. */
  private static ByteBuffer stored(Random random, TensorType type, int elements) {
    int blocks = elements / type.blockElements();
    ByteBuffer stored =
        ByteBuffer.allocate(blocks * type.blockBytes()).order(ByteOrder.LITTLE_ENDIAN);
    random.nextBytes(stored.array());
    for (int block = 0; block < blocks; block++) {
      int at = block * type.blockBytes();
      switch (type) {
        case F32 -> stored.putFloat(at, (float) random.nextGaussian());
        case BF16 ->
            stored.putShort(
                at, (short) (Float.floatToRawIntBits((float) random.nextGaussian()) >>> 16));
        case F16 -> stored.putShort(at, half(random, 15));
        case Q4_0, Q5_0 -> stored.putShort(at, half(random, 12));
        case Q8_0 -> stored.putShort(at, half(random, 8));
        case Q4_1, Q5_1 -> {
          stored.putShort(at, half(random, 12));
          stored.putShort(at + 2, half(random, 14));
        }
        case Q4_K, Q5_K -> {
          stored.putShort(at, half(random, 7));
          stored.putShort(at + 2, half(random, 8));
        }
        case Q6_K -> stored.putShort(at + 208, half(random, 4));
      }
    }
    return stored;
  }

  /** A binary16 number of either sign and an exponent, now and then a subnormal one. */
  private static short half(Random random, int exponent) {
    int bits = random.nextInt(1 << 10) | (random.nextInt(50) == 0 ? 0 : exponent << 10);
    return (short) (bits | random.nextInt(2) << 15);
  }
}
