package kv4j.model.family;

import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import kv4j.model.Model;
import kv4j.model.TransformerWeights;
import kv4j.model.format.GgufWriter;
import kv4j.model.format.ModelFileException;
import org.nd4j.linalg.api.ndarray.INDArray;

/** Writes models as GGUF with F32 weights, which llama.cpp and others load. */
public final class ModelExport {
  private ModelExport() {}

  /**
   * Writes a model, whole or not at all.
   *
   * @param tokenizer GGUF's metadata of the model's tokenizer, {@code tokenizer.ggml.model} and so
   *     on
   * @throws IllegalArgumentException if GGUF has no architecture for such a model
   * @throws ModelFileException if the file cannot be written
   */
  public static void gguf(Model model, Map<String, Object> tokenizer, Path file) {
    Family family = Family.of(model.config());
    Map<String, Object> metadata = GgufConfig.metadata(model.name(), model.config(), family);
    metadata.putAll(tokenizer);
    GgufWriter.write(new ModelTensors(model.config(), arrays(model), family, metadata), file);
  }

  private static Map<String, INDArray> arrays(Model model) {
    Map<String, INDArray> arrays = new LinkedHashMap<>();
    for (String name : TransformerWeights.shapes(model.config()).keySet()) {
      arrays.put(name, model.graph().getArrForVarName(name));
    }
    return arrays;
  }
}
