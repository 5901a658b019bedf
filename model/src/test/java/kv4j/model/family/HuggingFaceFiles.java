package kv4j.model.family;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import kv4j.model.Positions;
import kv4j.model.TransformerConfig;
import kv4j.model.TransformerWeights;

/** A model's weights as a folder that Hugging Face's classes would write. */
final class HuggingFaceFiles {
  final Map<String, Object> config = new LinkedHashMap<>();
  final Map<String, float[][]> tensors = new LinkedHashMap<>();
  private final TransformerWeights weights;
  private final TransformerConfig shape;

  /**
   * @param weights whose heads are turned in split pairs, or not at all
   */
  HuggingFaceFiles(String modelType, TransformerWeights weights) {
    this.weights = weights;
    shape = weights.config();
    config.put("model_type", modelType);
    config.put("vocab_size", shape.vocabulary());
    config.put("tie_word_embeddings", shape.tiedOutput());
    if (modelType.equals("gpt2")) {
      gpt2();
    } else {
      llamaLike();
    }
  }

  private void llamaLike() {
    int d = shape.headDim();
    int q = shape.heads() * d;
    int k = shape.kvHeads() * d;
    config.put("hidden_size", shape.dim());
    config.put("num_hidden_layers", shape.layers());
    config.put("num_attention_heads", shape.heads());
    config.put("num_key_value_heads", shape.kvHeads());
    config.put("head_dim", d);
    config.put("intermediate_size", shape.ffnDim());
    config.put("max_position_embeddings", shape.context());
    config.put("rms_norm_eps", shape.normEpsilon());
    config.put("rope_theta", ((Positions.Rotary) shape.positions()).theta());
    config.put("sliding_window", null);
    tensors.put("model.embed_tokens.weight", matrix("token_embedding"));
    for (int i = 0; i < shape.layers(); i++) {
      String from = "layer_" + i + "/";
      String to = "model.layers." + i + ".";
      tensors.put(to + "input_layernorm.weight", matrix(from + "attention/norm/gain"));
      float[][] qkv = matrix(from + "attention/qkv/weight");
      tensors.put(to + "self_attn.q_proj.weight", columns(qkv, 0, q));
      tensors.put(to + "self_attn.k_proj.weight", columns(qkv, q, q + k));
      tensors.put(to + "self_attn.v_proj.weight", columns(qkv, q + k, q + 2 * k));
      if (weights.arrays().containsKey(from + "attention/qkv/bias")) {
        float[] bias = matrix(from + "attention/qkv/bias")[0];
        tensors.put(to + "self_attn.q_proj.bias", part(bias, 0, q));
        tensors.put(to + "self_attn.k_proj.bias", part(bias, q, q + k));
        tensors.put(to + "self_attn.v_proj.bias", part(bias, q + k, q + 2 * k));
      }
      if (weights.arrays().containsKey(from + "attention/head_norm/gain")) {
        float[][] gain = matrix(from + "attention/head_norm/gain");
        tensors.put(to + "self_attn.q_norm.weight", new float[][] {gain[0]});
        tensors.put(to + "self_attn.k_norm.weight", new float[][] {gain[shape.heads()]});
      }
      float[][] output = matrix(from + "attention/output/weight");
      tensors.put(to + "self_attn.o_proj.weight", columns(output, 0, shape.dim()));
      tensors.put(to + "post_attention_layernorm.weight", matrix(from + "ffn/norm/gain"));
      float[][] gateUp = matrix(from + "ffn/gate_up/weight");
      tensors.put(to + "mlp.gate_proj.weight", columns(gateUp, 0, shape.ffnDim()));
      tensors.put(to + "mlp.up_proj.weight", columns(gateUp, shape.ffnDim(), 2 * shape.ffnDim()));
      tensors.put(
          to + "mlp.down_proj.weight", columns(matrix(from + "ffn/down/weight"), 0, shape.dim()));
    }
    tensors.put("model.norm.weight", matrix("final_norm/gain"));
    if (!shape.tiedOutput()) {
      tensors.put("lm_head.weight", columns(matrix("output/weight"), 0, shape.vocabulary()));
    }
  }

  private void gpt2() {
    config.put("n_embd", shape.dim());
    config.put("n_layer", shape.layers());
    config.put("n_head", shape.heads());
    config.put("n_inner", shape.ffnDim());
    config.put("n_positions", shape.context());
    config.put("layer_norm_epsilon", shape.normEpsilon());
    config.put("activation_function", "gelu_new");
    tensors.put("wte.weight", matrix("token_embedding"));
    tensors.put("wpe.weight", matrix("position_embedding"));
    Map<String, String> names =
        Map.of(
            "attention/norm/gain", "ln_1.weight",
            "attention/norm/bias", "ln_1.bias",
            "ffn/norm/gain", "ln_2.weight",
            "ffn/norm/bias", "ln_2.bias");
    Map<String, String> projections =
        Map.of(
            "attention/qkv", "attn.c_attn",
            "attention/output", "attn.c_proj",
            "ffn/up", "mlp.c_fc",
            "ffn/down", "mlp.c_proj");
    for (int i = 0; i < shape.layers(); i++) {
      String from = "layer_" + i + "/";
      String to = "h." + i + ".";
      names.forEach((ours, theirs) -> tensors.put(to + theirs, matrix(from + ours)));
      projections.forEach(
          (ours, theirs) -> {
            tensors.put(to + theirs + ".weight", matrix(from + ours + "/weight"));
            tensors.put(to + theirs + ".bias", matrix(from + ours + "/bias"));
          });
      tensors.put(to + "attn.bias", new float[3][3]); // the causal mask, of no use
    }
    tensors.put("ln_f.weight", matrix("final_norm/gain"));
    tensors.put("ln_f.bias", matrix("final_norm/bias"));
  }

  TransformerWeights weights() {
    return weights;
  }

  /** A vector is a matrix of one row. */
  private float[][] matrix(String name) {
    var array = weights.get(name);
    return array.rank() == 1 ? new float[][] {array.toFloatVector()} : array.toFloatMatrix();
  }

  /** Some columns, as the rows of a new matrix. */
  private static float[][] columns(float[][] matrix, int from, int to) {
    float[][] rows = new float[to - from][matrix.length];
    for (int r = 0; r < rows.length; r++) {
      for (int c = 0; c < matrix.length; c++) {
        rows[r][c] = matrix[c][from + r];
      }
    }
    return rows;
  }

  private static float[][] part(float[] vector, int from, int to) {
    return new float[][] {Arrays.copyOfRange(vector, from, to)};
  }

  private static boolean isVector(String name) {
    return name.endsWith(".bias") && !name.endsWith(".attn.bias")
        || name.contains("norm")
        || name.contains("ln_");
  }

  /** Writes {@code config.json} and {@code model.safetensors}. */
  void write(Path folder) {
    ObjectMapper json = new ObjectMapper();
    Map<String, Object> header = new LinkedHashMap<>();
    ByteArrayOutputStream data = new ByteArrayOutputStream();
    tensors.forEach(
        (name, rows) -> {
          long begin = data.size();
          for (float[] row : rows) {
            ByteBuffer bytes = ByteBuffer.allocate(row.length * 4).order(ByteOrder.LITTLE_ENDIAN);
            bytes.asFloatBuffer().put(row);
            data.writeBytes(bytes.array());
          }
          Map<String, Object> info = new LinkedHashMap<>();
          info.put("dtype", "F32");
          info.put(
              "shape",
              isVector(name) ? List.of(rows[0].length) : List.of(rows.length, rows[0].length));
          info.put("data_offsets", List.of(begin, (long) data.size()));
          header.put(name, info);
        });
    try {
      Files.createDirectories(folder);
      json.writeValue(folder.resolve("config.json").toFile(), config);
      byte[] text = json.writeValueAsString(header).getBytes(StandardCharsets.UTF_8);
      ByteBuffer file =
          ByteBuffer.allocate(8 + text.length + data.size()).order(ByteOrder.LITTLE_ENDIAN);
      file.putLong(text.length).put(text).put(data.toByteArray());
      Files.write(folder.resolve("model.safetensors"), file.array());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
