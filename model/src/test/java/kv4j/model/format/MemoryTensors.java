package kv4j.model.format;

import java.nio.FloatBuffer;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;

/** Tensors in memory. */
final class MemoryTensors implements TensorSource {
  private final Map<String, Object> metadata;
  private final Map<String, long[]> shapes = new LinkedHashMap<>();
  private final Map<String, float[]> values = new LinkedHashMap<>();

  MemoryTensors(Map<String, Object> metadata) {
    this.metadata = metadata;
  }

  MemoryTensors with(String name, float[] floats, long... shape) {
    shapes.put(name, shape);
    values.put(name, floats);
    return this;
  }

  @Override
  public String format() {
    return "memory";
  }

  @Override
  public String origin() {
    return "memory";
  }

  @Override
  public Map<String, Object> metadata() {
    return metadata;
  }

  @Override
  public Set<String> tensorNames() {
    return shapes.keySet();
  }

  @Override
  public long[] shape(String name) {
    return shapes.get(name);
  }

  @Override
  public String dtype(String name) {
    return "F32";
  }

  @Override
  public void readRows(String name, long firstRow, FloatBuffer out) {
    long[] shape = shapes.get(name);
    long rowLength = shape.length == 0 ? 1 : shape[shape.length - 1];
    out.put(values.get(name), (int) (firstRow * rowLength), out.remaining());
  }

  @Override
  public void close() {}

  /** All of a tensor of any source. */
  static float[] floats(TensorSource source, String name) {
    FloatBuffer out = FloatBuffer.allocate((int) source.elements(name));
    source.read(name, out);
    return out.array();
  }
}
