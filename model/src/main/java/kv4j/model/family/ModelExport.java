package kv4j.model.family;

import java.nio.FloatBuffer;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import kv4j.model.Model;
import kv4j.model.TransformerConfig;
import kv4j.model.TransformerWeights;
import kv4j.model.format.GgufWriter;
import kv4j.model.format.ModelFileException;
import kv4j.model.format.TensorSource;
import kv4j.model.format.WeightType;
import kv4j.model.weight.Finite;
import kv4j.model.weight.PanelMatrix;
import kv4j.model.weight.WeightArrays;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.api.ndarray.INDArray;

/** Writes models as GGUF, which llama.cpp and others load. */
public final class ModelExport {
  private ModelExport() {}

  /** Writes a model with weights of F32. */
  public static long gguf(Model model, Map<String, Object> tokenizer, Path file) {
    return gguf(model, tokenizer, WeightType.F32, file);
  }

  /**
   * Writes a model, whole or not at all.
   *
   * @param tokenizer GGUF's metadata of the model's tokenizer, {@code tokenizer.ggml.model} and so
   *     on
   * @return the file's size in bytes
   * @throws IllegalArgumentException if GGUF has no architecture for such a model, if a weight is
   *     not finite or too large for the type, or if the file cannot be written
   */
  public static long gguf(Model model, Map<String, Object> tokenizer, WeightType type, Path file) {
    Family family = Family.of(model.config());
    Map<String, Object> metadata = GgufConfig.metadata(model.name(), model.config(), family);
    metadata.putAll(tokenizer);
    return GgufWriter.write(
        new ModelTensors(model.config(), model.graph(), family, metadata), type, file);
  }

  /** A model in memory as the tensors that GGUF would have of it. */
  private static final class ModelTensors implements TensorSource {
    /** Floats in a line of a processor's cache. */
    private static final int TILE_ROWS = 16;

    private final String origin;
    private final Map<String, Object> metadata;
    private final Map<String, Stored> tensors = new LinkedHashMap<>();
    private final List<Float> ropeFactors;

    /** A tensor and the weight that it is a part of. */
    private record Stored(Part part, Optional<PanelMatrix> panels, SameDiff graph, String name) {
      INDArray array() {
        return graph.getArrForVarName(name);
      }
    }

    /**
     * @param graph with all weights
     * @throws IllegalArgumentException if the architecture has no place for something in the model
     */
    ModelTensors(
        TransformerConfig config, SameDiff graph, Family family, Map<String, Object> metadata) {
      this.metadata = metadata;
      origin = "model " + metadata.get("general.name");
      ropeFactors = GgufConfig.ropeFactors(config);
      if (!ropeFactors.isEmpty() && family != Family.LLAMA) {
        throw new IllegalArgumentException(
            "GGUF has no factors of rotary frequencies for " + family.architecture());
      }
      TensorNames names = TensorNames.gguf(family);
      TransformerWeights.shapes(config)
          .forEach(
              (weight, shape) -> {
                for (Part part : Part.of(weight, shape, config, names)) {
                  if (part.copies() > 1) {
                    requireEqualCopies(weight, part, graph.getArrForVarName(weight));
                  }
                  tensors.put(
                      part.tensor(),
                      new Stored(part, WeightArrays.panels(graph, weight), graph, weight));
                }
              });
      if (family == Family.GPT2) { // of which llama.cpp wants an output head, even if it is tied
        tensors.putIfAbsent(GgufConfig.OUTPUT, tensors.get(GgufConfig.EMBEDDING));
      }
    }

    private static void requireEqualCopies(String weight, Part part, INDArray array) {
      float[] first = new float[part.rowLength()];
      float[] other = new float[part.rowLength()];
      FloatBuffer values = array.data().asNioFloat();
      for (int copy = 0; copy < part.copies(); copy++) {
        values.get((part.row() + copy) * other.length, copy == 0 ? first : other);
        if (copy > 0 && !Arrays.equals(first, other)) {
          throw new IllegalArgumentException(
              "GGUF has one gain for the norms of all heads, but those of " + weight + " differ");
        }
      }
    }

    @Override
    public String format() {
      return "memory";
    }

    @Override
    public String origin() {
      return origin;
    }

    @Override
    public Map<String, Object> metadata() {
      return metadata;
    }

    @Override
    public Set<String> tensorNames() {
      Set<String> names = new LinkedHashSet<>(tensors.keySet());
      if (!ropeFactors.isEmpty()) {
        names.add(GgufConfig.ROPE_FACTORS);
      }
      return names;
    }

    @Override
    public long[] shape(String name) {
      return isRopeFactors(name)
          ? new long[] {ropeFactors.size()}
          : stored(name).part.shape().clone();
    }

    @Override
    public String dtype(String name) {
      return "F32";
    }

    private boolean isRopeFactors(String name) {
      return name.equals(GgufConfig.ROPE_FACTORS) && !ropeFactors.isEmpty();
    }

    private Stored stored(String name) {
      Stored stored = tensors.get(name);
      if (stored == null) {
        throw new ModelFileException(origin, "there is no tensor " + name);
      }
      return stored;
    }

    @Override
    public void readRows(String name, long firstRow, FloatBuffer out) {
      if (isRopeFactors(name)) {
        ropeFactors.forEach(out::put);
        return;
      }
      Stored stored = stored(name);
      Part part = stored.part;
      int end = (int) firstRow + out.remaining() / part.rowLength();
      float[] tile = new float[Math.min(out.remaining(), TILE_ROWS * part.rowLength())];
      for (int row = (int) firstRow; row < end; row += TILE_ROWS) {
        int rows = Math.min(TILE_ROWS, end - row);
        if (stored.panels.isPresent()) {
          readOutputs(part, row, rows, stored.panels.get(), tile);
        } else {
          INDArray weight = stored.array();
          FloatBuffer values = weight.data().asNioFloat();
          int columns = (int) weight.size(weight.rank() - 1);
          if (part.transposed()) {
            readColumns(part, row, rows, values, columns, tile);
          } else {
            readRows(part, row, rows, values, columns, tile);
          }
        }
        int elements = rows * part.rowLength();
        if (!Finite.all(tile, 0, elements)) {
          throw new IllegalArgumentException(
              "tensor " + name + " holds a weight that is no finite number");
        }
        out.put(tile, 0, elements);
      }
    }

    private static void readOutputs(
        Part part, int first, int rows, PanelMatrix panels, float[] tile) {
      for (int r = 0; r < rows; r++) {
        int output = part.transposed() ? part.column() + weightColumn(part, first + r) : first + r;
        panels.row(output, tile, r * part.rowLength());
      }
    }

    private static void readRows(
        Part part, int first, int rows, FloatBuffer values, int columns, float[] tile) {
      int length = part.rowLength();
      for (int r = 0; r < rows; r++) {
        int from = (part.row() + first + r) * columns + part.column();
        for (int i = 0; i < length; i++) {
          tile[r * length + part.source(i)] = values.get(from + i);
        }
      }
    }

    /** Columns of the weight as rows, side by side: what is fetched of one serves the others. */
    private static void readColumns(
        Part part, int first, int rows, FloatBuffer values, int columns, float[] tile) {
      int[] from = new int[rows];
      for (int r = 0; r < rows; r++) {
        from[r] = part.column() + weightColumn(part, first + r);
      }
      int length = part.rowLength();
      for (int i = 0; i < length; i++) {
        for (int r = 0; r < rows; r++) {
          tile[r * length + i] = values.get(i * columns + from[r]);
        }
      }
    }

    /**
     * The column of a part that a row of its tensor becomes: the inverse of {@link Part#source}.
     */
    private static int weightColumn(Part part, int row) {
      int[] order = part.headOrder();
      if (order == null) {
        return row;
      }
      int head = row / order.length * order.length;
      for (int i = 0; i < order.length; i++) {
        if (order[i] == row - head) {
          return head + i;
        }
      }
      throw new IllegalStateException("a head's order must have all of its elements");
    }

    @Override
    public void close() {}
  }
}
