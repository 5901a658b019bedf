package kv4j.inference.plan.op;

import java.util.List;
import kv4j.cache.KvSequence;
import kv4j.cache.block.KvBlock;
import kv4j.cache.block.KvSpans;
import kv4j.inference.pass.ForwardPass;
import kv4j.inference.plan.run.PassState;
import kv4j.inference.plan.run.Step;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/**
 * Where attention runs as stock ops: calls the cache with a layer's new keys and values, and
 * gathers what it answers into arrays for those ops. For one sequence a pass.
 */
final class OpHookStep implements Step {
  private final int layer;
  private final String newKeys;
  private final String newValues;
  private final String allKeys;
  private final String allValues;

  /**
   * @param reads variables of the new rows' keys and values, {@code [rows, kvHeads, headDim]}
   * @param writes variables of the keys and values that attention reads, {@code [tokens, kvHeads,
   *     headDim]}
   */
  OpHookStep(int layer, List<String> reads, List<String> writes) {
    this.layer = layer;
    newKeys = reads.get(0);
    newValues = reads.get(1);
    allKeys = writes.get(0);
    allValues = writes.get(1);
  }

  @Override
  public void run(PassState pass, int worker) {
    if (worker != 0) {
      return;
    }
    if (pass.segments().size() != 1) {
      throw new IllegalArgumentException(
          "a graph whose attention has no step of its own takes one sequence a pass");
    }
    ForwardPass.Segment segment = pass.segments().get(0);
    KvSequence sequence = segment.sequence();
    INDArray keys = pass.values().get(newKeys);
    int expected = segment.to();
    KvSpans spans =
        sequence.update(
            layer, floats(keys), floats(pass.values().get(newValues)), 0, segment.rows());
    if (spans.length() != expected) {
      throw new IllegalArgumentException(
          "the cache gave keys and values of %d tokens, but there are %d"
              .formatted(spans.length(), expected));
    }
    int width = (int) (keys.length() / segment.rows());
    float[] gatheredKeys = new float[spans.length() * width];
    float[] gatheredValues = new float[spans.length() * width];
    int row = 0;
    for (int i = 0; i < spans.count(); i++) {
      KvBlock block = spans.block(i);
      block.read(layer, 0, spans.tokens(i), gatheredKeys, gatheredValues, row);
      row += spans.tokens(i);
    }
    long[] shape = keys.shape();
    shape[0] = spans.length();
    pass.values().put(allKeys, Nd4j.createFromArray(gatheredKeys).reshape(shape));
    pass.values().put(allValues, Nd4j.createFromArray(gatheredValues).reshape(shape));
  }

  private static float[] floats(INDArray array) {
    return array.dup('c').reshape(array.length()).toFloatVector();
  }

  @Override
  public boolean rowLocal(PassState pass) {
    return false;
  }

  @Override
  public String describe() {
    return kind() + ", layer " + layer;
  }

  @Override
  public String kind() {
    return "hook for stock attention";
  }
}
