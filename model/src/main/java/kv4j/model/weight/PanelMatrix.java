package kv4j.model.weight;

import java.util.List;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/**
 * A matrix of weights: for each output one weight for each input. Outputs that are stored in
 * different types, as parts of a joint projection may be, are in panels of their own. Immutable
 * once it is filled.
 */
public final class PanelMatrix {
  private final int inputs;
  private final int outputs;
  private final boolean outputsFirst;
  private final List<Panels> panels;

  /**
   * @param outputsFirst whether as an array it is {@code [outputs, inputs]}, as an embedding is;
   *     else {@code [inputs, outputs]}, as a projection is
   * @param panels of all outputs, in order
   */
  PanelMatrix(int inputs, boolean outputsFirst, List<Panels> panels) {
    this.inputs = inputs;
    this.outputsFirst = outputsFirst;
    this.panels = List.copyOf(panels);
    outputs = panels.stream().mapToInt(Panels::outputs).sum();
  }

  /**
   * A matrix of floats, copied.
   *
   * @param array FLOAT, {@code [inputs, outputs]}, or {@code [outputs, inputs]} if outputs come
   *     first
   */
  public static PanelMatrix of(INDArray array, boolean outputsFirst) {
    return PanelPacker.pack(array, outputsFirst);
  }

  /**
   * A matrix of any numbers.
   *
   * @param values by their place in the array that the matrix stands for, row after row
   */
  public static PanelMatrix of(int inputs, int outputs, boolean outputsFirst, FloatSource values) {
    return PanelPacker.pack(inputs, outputs, outputsFirst, values);
  }

  public int inputs() {
    return inputs;
  }

  public int outputs() {
    return outputs;
  }

  /** Whether as an array it is {@code [outputs, inputs]}; else {@code [inputs, outputs]}. */
  public boolean outputsFirst() {
    return outputsFirst;
  }

  /** All outputs, in order. */
  public List<Panels> panels() {
    return panels;
  }

  /** Sizes of the array that it stands for. */
  public long[] shape() {
    return outputsFirst ? new long[] {outputs, inputs} : new long[] {inputs, outputs};
  }

  /** Bytes in memory. */
  public long size() {
    return panels.stream().mapToLong(Panels::size).sum();
  }

  /** Expands the weights of one output to floats. */
  public void row(int output, float[] out, int at) {
    for (Panels some : panels) {
      if (output < some.firstOutput() + some.outputs()) {
        some.row(output - some.firstOutput(), out, at);
        return;
      }
    }
    throw new IllegalArgumentException("there are " + outputs + " outputs, so none is " + output);
  }

  /** All weights as an array of floats, the caller's to close. */
  public INDArray expand() {
    INDArray rows = Nd4j.createUninitialized(DataType.FLOAT, new long[] {outputs, inputs}, 'c');
    float[] row = new float[inputs];
    for (int output = 0; output < outputs; output++) {
      row(output, row, 0);
      rows.data().asNioFloat().put(output * inputs, row);
    }
    if (outputsFirst) {
      return rows;
    }
    INDArray array = rows.transpose().dup('c');
    rows.close();
    return array;
  }
}
