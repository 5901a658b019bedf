package kv4j.inference;

import java.nio.FloatBuffer;
import java.util.Map;
import java.util.Set;
import kv4j.model.format.TensorSource;

/**
 * A GGUF file of which one layer adds nothing to what passes through it.
 *
 * @param layer whose output projections are zero
 */
record SkippedLayer(TensorSource whole, int layer) implements TensorSource {
  @Override
  public void readRows(String name, long firstRow, FloatBuffer out) {
    if (name.matches("blk\\." + layer + "\\.(attn_output|ffn_down)\\.weight")) {
      while (out.hasRemaining()) {
        out.put(0);
      }
    } else {
      whole.readRows(name, firstRow, out);
    }
  }

  @Override
  public String format() {
    return whole.format();
  }

  @Override
  public String origin() {
    return whole.origin();
  }

  @Override
  public Map<String, Object> metadata() {
    return whole.metadata();
  }

  @Override
  public Set<String> tensorNames() {
    return whole.tensorNames();
  }

  @Override
  public long[] shape(String name) {
    return whole.shape(name);
  }

  @Override
  public String dtype(String name) {
    return whole.dtype(name);
  }

  @Override
  public void close() {
    whole.close();
  }
}
