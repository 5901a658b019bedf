package kv4j.model.weight;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import kv4j.model.format.block.TensorType;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Fills a matrix: first its outputs are {@link #add added}, all of one tensor at a time, then each
 * panel is {@link #put put}. Panels may be put by several threads.
 */
public final class PanelPacker {
  private final int inputs;
  private final boolean outputsFirst;
  private final List<Panels> panels = new ArrayList<>();

  /** See {@link PanelMatrix}. */
  public PanelPacker(int inputs, boolean outputsFirst) {
    this.inputs = inputs;
    this.outputsFirst = outputsFirst;
  }

  /** Adds outputs that are stored in one type, and returns where they go. */
  public Panels add(TensorType type, int outputs) {
    int first = panels.stream().mapToInt(Panels::outputs).sum();
    Panels added = new Panels(type, inputs, first, outputs);
    panels.add(added);
    return added;
  }

  /** The matrix, once all panels are filled. */
  public PanelMatrix matrix() {
    return new PanelMatrix(inputs, outputsFirst, panels);
  }

  /** Room for rows on their way into panels, reused from one to the next; one thread's own. */
  public static final class Scratch {
    private float[] floats = {};
    private short[] halves = {};
    private byte[] bytes = {};
    private final int[] starts = new int[Panels.WIDTH];

    private float[] floats(int needed) {
      return floats.length >= needed ? floats : (floats = new float[needed]);
    }

    private short[] halves(int needed) {
      return halves.length >= needed ? halves : (halves = new short[needed]);
    }

    private byte[] bytes(int needed) {
      return bytes.length >= needed ? bytes : (bytes = new byte[needed]);
    }
  }

  /**
   * Fills a panel with rows as a file stores them.
   *
   * @param stored whole rows, one for an output, little-endian; read from position to limit
   * @param rows for each output of the panel, which of the rows is its
   */
  public static void put(Panels to, int panel, ByteBuffer stored, int[] rows, Scratch scratch) {
    for (int lane = 0; lane < to.outputsOf(panel); lane++) {
      scratch.starts[lane] = rows[lane] * to.rowLength();
    }
    stored.order(ByteOrder.LITTLE_ENDIAN);
    switch (to.type()) {
      case F32 -> {
        int count = stored.remaining() / Float.BYTES;
        float[] floats = scratch.floats(count);
        stored.asFloatBuffer().get(floats, 0, count);
        to.put(panel, floats, scratch.starts);
      }
      case F16, BF16 -> {
        int count = stored.remaining() / Short.BYTES;
        short[] halves = scratch.halves(count);
        stored.asShortBuffer().get(halves, 0, count);
        to.put(panel, halves, scratch.starts);
      }
      default -> {
        int count = stored.remaining();
        byte[] bytes = scratch.bytes(count);
        stored.get(bytes, 0, count);
        to.put(panel, bytes, scratch.starts);
      }
    }
  }

  /**
   * Puts the weights of all outputs for one input, which a file has side by side; F32, F16 and BF16
   * only.
   *
   * @param stored one row, little-endian, from its position on
   */
  public static void putInput(Panels to, int input, ByteBuffer stored) {
    stored.order(ByteOrder.LITTLE_ENDIAN);
    for (int panel = 0; panel < to.count(); panel++) {
      int at = to.begin(panel) + input * Panels.WIDTH;
      int from = panel * Panels.WIDTH;
      if (to.type() == TensorType.F32) {
        stored.asFloatBuffer().get(from, to.floats(), at, to.outputsOf(panel));
      } else {
        stored.asShortBuffer().get(from, to.halves(), at, to.outputsOf(panel));
      }
    }
  }

  /** A matrix of floats; see {@link PanelMatrix#of}. */
  static PanelMatrix pack(INDArray array, boolean outputsFirst) {
    int inputs = (int) array.size(outputsFirst ? 1 : 0);
    int outputs = (int) array.size(outputsFirst ? 0 : 1);
    FloatBuffer values = array.data().asNioFloat().slice(); // from where a view begins
    return pack(inputs, outputs, outputsFirst, values::get);
  }

  /** The same of any numbers. */
  static PanelMatrix pack(int inputs, int outputs, boolean outputsFirst, FloatSource values) {
    PanelPacker packer = new PanelPacker(inputs, outputsFirst);
    Panels panels = packer.add(TensorType.F32, outputs);
    float[] to = panels.floats();
    IntStream.range(0, panels.count())
        .parallel()
        .forEach(
            panel -> {
              int count = panels.outputsOf(panel);
              if (outputsFirst) {
                float[] rows = new float[count * inputs];
                int[] starts = IntStream.range(0, count).map(lane -> lane * inputs).toArray();
                values.get(panel * Panels.WIDTH * inputs, rows, 0, rows.length);
                panels.put(panel, rows, starts);
                return;
              }
              for (int input = 0; input < inputs; input++) {
                int at = panels.begin(panel) + input * Panels.WIDTH;
                values.get(input * outputs + panel * Panels.WIDTH, to, at, count);
              }
            });
    return packer.matrix();
  }
}
