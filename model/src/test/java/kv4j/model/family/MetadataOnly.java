package kv4j.model.family;

import java.nio.FloatBuffer;
import java.util.Map;
import java.util.Set;
import kv4j.model.format.ModelFileException;
import kv4j.model.format.TensorSource;

/** A model file without tensors. */
record MetadataOnly(String format, Map<String, Object> metadata) implements TensorSource {
  @Override
  public String origin() {
    return "model";
  }

  @Override
  public Set<String> tensorNames() {
    return Set.of();
  }

  @Override
  public long[] shape(String name) {
    throw new ModelFileException(origin(), "there is no tensor " + name);
  }

  @Override
  public String dtype(String name) {
    throw new ModelFileException(origin(), "there is no tensor " + name);
  }

  @Override
  public void readRows(String name, long firstRow, FloatBuffer out) {
    throw new ModelFileException(origin(), "there is no tensor " + name);
  }

  @Override
  public void close() {}
}
