package kv4j.model.weight;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import kv4j.model.format.block.TensorType;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.indexing.NDArrayIndex;

class PanelsTest {
  private final Random random = new Random(5);

  /** Rows of random bits, where no binary16 number is an infinity or a NaN. */
  private ByteBuffer rows(TensorType type, int inputs, int rows) {
    int bytes = inputs / type.blockElements() * type.blockBytes() * rows;
    ByteBuffer stored = ByteBuffer.allocate(bytes).order(ByteOrder.LITTLE_ENDIAN);
    random.nextBytes(stored.array());
    for (int at = 0; at + 1 < bytes; at++) {
      stored.put(at, (byte) (stored.get(at) & 0xBF)); // of any two, one bit of an exponent
    }
    return stored;
  }

  /** What a panel gives back of each output is what the file's own reader makes of its row. */
  @ParameterizedTest
  @EnumSource(TensorType.class)
  void rowsComeBackAsTheyWere(TensorType type) {
    int inputs = Math.max(33, 2 * type.blockElements());
    if (type.blockElements() > 1) {
      inputs = 2 * type.blockElements();
    }
    int outputs = 150;
    PanelPacker packer = new PanelPacker(inputs, false);
    Panels panels = packer.add(type, outputs);
    assertEquals(3, panels.count());
    assertEquals(22, panels.outputsOf(2));
    PanelPacker.Scratch scratch = new PanelPacker.Scratch();
    float[][] expected = new float[outputs][inputs];
    for (int panel = 0; panel < panels.count(); panel++) {
      int count = panels.outputsOf(panel);
      ByteBuffer stored = rows(type, inputs, count);
      List<Integer> order = IntStream.range(0, count).boxed().collect(Collectors.toList());
      Collections.shuffle(order, random);
      float[] expanded = new float[count * inputs];
      type.expand(stored.duplicate().order(ByteOrder.LITTLE_ENDIAN), FloatBuffer.wrap(expanded));
      for (int lane = 0; lane < count; lane++) {
        System.arraycopy(
            expanded, order.get(lane) * inputs, expected[panel * Panels.WIDTH + lane], 0, inputs);
      }
      int[] rows = order.stream().mapToInt(row -> row).toArray();
      PanelPacker.put(panels, panel, stored, rows, scratch);
    }
    PanelMatrix matrix = packer.matrix();
    float[] row = new float[inputs + 1];
    for (int output = 0; output < outputs; output++) {
      matrix.row(output, row, 1);
      for (int i = 0; i < inputs; i++) {
        assertEquals(expected[output][i], row[i + 1], type + " " + output + " " + i);
      }
    }
    INDArray array = matrix.expand();
    assertArrayEquals(new long[] {inputs, outputs}, array.shape());
    assertEquals(expected[149][3], array.getFloat(3, 149));
  }

  /** F32 has four bytes a weight, and Q4_0 four bits and a float for 32; up to 63 outputs more. */
  @Test
  void sizesAreThoseOfTheFileButForScalesAndPadding() {
    assertEquals(128 * 32 * 4, Panels.size(TensorType.F32, 32, 65));
    assertEquals(64 * 96 * 2, Panels.size(TensorType.BF16, 96, 64));
    assertEquals(64 * (16 + 4) * 3, Panels.size(TensorType.Q4_0, 96, 64));
    assertEquals(64 * (32 + 4), Panels.size(TensorType.Q8_0, 32, 1));
    assertEquals(64 * (140 + 8) * 2, Panels.size(TensorType.Q4_K, 512, 64));
    assertEquals(64 * (208 + 4), Panels.size(TensorType.Q6_K, 256, 64));
  }

  @Test
  void arraysGoInAndOutEitherWayRound() {
    INDArray array = Nd4j.rand(7, 130);
    assertEquals(array, PanelMatrix.of(array, false).expand());
    assertEquals(array, PanelMatrix.of(array, true).expand());
    PanelMatrix byRows = PanelMatrix.of(array, true);
    assertEquals(7, byRows.outputs());
    assertEquals(130, byRows.inputs());
    assertThrows(IllegalArgumentException.class, () -> byRows.row(7, new float[130], 0));
  }

  /** Rows in the middle of a larger array begin behind its begin. */
  @Test
  void aViewIsReadFromWhereItBegins() {
    INDArray all = Nd4j.rand(9, 70);
    INDArray view = all.get(NDArrayIndex.interval(4, 7), NDArrayIndex.all());
    assertEquals(view.dup(), PanelMatrix.of(view, true).expand());
    assertEquals(view.dup(), PanelMatrix.of(view, false).expand());
  }

  /** As a table of which some rows are of another type than others. */
  @Test
  void outputsOfSeveralTypesAreCountedThrough() {
    PanelPacker packer = new PanelPacker(32, false);
    packer.add(TensorType.Q8_0, 70);
    Panels second = packer.add(TensorType.F32, 10);
    assertEquals(70, second.firstOutput());
    ByteBuffer row = ByteBuffer.allocate(10 * 32 * 4).order(ByteOrder.LITTLE_ENDIAN);
    row.putFloat(9 * 32 * 4 + 4, 2.5f);
    PanelPacker.put(second, 0, row, IntStream.range(0, 10).toArray(), new PanelPacker.Scratch());
    float[] last = new float[32];
    packer.matrix().row(79, last, 0);
    assertEquals(2.5f, last[1]);
  }
}
