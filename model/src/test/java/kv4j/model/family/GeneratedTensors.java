package kv4j.model.family;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import kv4j.model.Positions;
import kv4j.model.TransformerConfig;
import kv4j.model.TransformerWeights;
import kv4j.model.format.GgufWriter;
import kv4j.model.format.TensorSource;

/** A Llama of any size whose weights are made while they are written. */
final class GeneratedTensors implements TensorSource {
  private final TransformerConfig config;
  private final Map<String, long[]> shapes = new LinkedHashMap<>();

  private GeneratedTensors(TransformerConfig config, TensorNames names) {
    this.config = config;
    TransformerWeights.shapes(config)
        .forEach(
            (weight, shape) ->
                Part.of(weight, shape, config, names)
                    .forEach(part -> shapes.put(part.tensor(), part.shape())));
  }

  /** Writes a GGUF file of F32. */
  static void gguf(TransformerConfig config, Path file) {
    GgufWriter.write(new GeneratedTensors(config, TensorNames.gguf(Family.LLAMA)), file);
  }

  /** Writes a folder with {@code config.json} and a safetensors file of F32. */
  static void safetensors(TransformerConfig config, Path folder) throws IOException {
    GeneratedTensors tensors =
        new GeneratedTensors(config, new TensorNames(Family.LLAMA, true, TensorNames.LLAMA_PREFIX));
    Map<String, Object> header = new LinkedHashMap<>();
    long end = 0;
    for (String name : tensors.tensorNames()) {
      long begin = end;
      end += tensors.elements(name) * Float.BYTES;
      header.put(
          name,
          Map.of(
              "dtype", "F32", "shape", tensors.shape(name), "data_offsets", List.of(begin, end)));
    }
    ObjectMapper json = new ObjectMapper();
    json.writeValue(folder.resolve("config.json").toFile(), huggingFaceConfig(config));
    byte[] text = json.writeValueAsString(header).getBytes(StandardCharsets.UTF_8);
    try (OutputStream out = Files.newOutputStream(folder.resolve("model.safetensors"))) {
      out.write(littleEndian(Long.BYTES).putLong(text.length).array());
      out.write(text);
      for (String name : tensors.tensorNames()) {
        ByteBuffer values = littleEndian((int) tensors.elements(name) * Float.BYTES);
        tensors.read(name, values.asFloatBuffer());
        out.write(values.array());
      }
    }
  }

  private static Map<String, Object> huggingFaceConfig(TransformerConfig config) {
    Map<String, Object> fields = new LinkedHashMap<>();
    fields.put("model_type", "llama");
    fields.put("vocab_size", config.vocabulary());
    fields.put("tie_word_embeddings", config.tiedOutput());
    fields.put("hidden_size", config.dim());
    fields.put("num_hidden_layers", config.layers());
    fields.put("num_attention_heads", config.heads());
    fields.put("num_key_value_heads", config.kvHeads());
    fields.put("head_dim", config.headDim());
    fields.put("intermediate_size", config.ffnDim());
    fields.put("max_position_embeddings", config.context());
    fields.put("rms_norm_eps", config.normEpsilon());
    fields.put("rope_theta", ((Positions.Rotary) config.positions()).theta());
    return fields;
  }

  private static ByteBuffer littleEndian(int bytes) {
    return ByteBuffer.allocate(bytes).order(ByteOrder.LITTLE_ENDIAN);
  }

  @Override
  public String format() {
    return "generated";
  }

  @Override
  public String origin() {
    return "generated";
  }

  @Override
  public Map<String, Object> metadata() {
    return GgufConfig.metadata("generated", config, Family.LLAMA);
  }

  @Override
  public Set<String> tensorNames() {
    return shapes.keySet();
  }

  @Override
  public long[] shape(String name) {
    return shapes.get(name).clone();
  }

  @Override
  public String dtype(String name) {
    return "F32";
  }

  @Override
  public void readRows(String name, long firstRow, FloatBuffer out) {
    int first = name.hashCode() & 0xFFFF; // else an output head would be taken for the embedding
    while (out.hasRemaining()) {
      out.put(((first + out.remaining()) * 31 % 1009 - 504) * 1e-4f);
    }
  }

  @Override
  public void close() {}
}
