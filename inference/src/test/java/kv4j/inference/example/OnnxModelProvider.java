package kv4j.inference.example;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import kv4j.model.ByteTokenizer;
import kv4j.model.GraphNames;
import kv4j.model.Model;
import kv4j.model.ModelProvider;
import kv4j.model.Positions;
import kv4j.model.TransformerConfig;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.autodiff.samediff.internal.SameDiffOp;
import org.nd4j.linalg.api.ops.impl.reduce.Mmul;
import org.nd4j.samediff.frameworkimport.onnx.importer.OnnxFrameworkImporter;

/**
 * {@code onnx}: a transformer with learned positions from an ONNX file whose tensors have the names
 * of {@link GraphNames}; ND4J's importer keeps them. Its tokens are bytes.
 */
public final class OnnxModelProvider implements ModelProvider {
  @Override
  public String name() {
    return "onnx";
  }

  @Override
  public String description() {
    return "a model with bytes for tokens; its argument is an ONNX file";
  }

  @Override
  public Model create(String argument) {
    Path file = Path.of(argument);
    if (!Files.isRegularFile(file)) {
      throw new IllegalArgumentException("there is no ONNX file " + file);
    }
    SameDiff graph = new OnnxFrameworkImporter().runImport(file.toString(), Map.of(), false);
    for (SameDiffOp op : graph.getOps().values()) {
      if (op.getOp() instanceof Mmul product) { // whose numbers ND4J 1.0.0-M2.1 swaps
        product.removeTArgument(0.0);
        product.removeTArgument(1.0);
        product.addTArgument(1, 0); // 1 times the product, and 0 times what was there
      }
    }
    Model model = Model.ofGraph("mine", config(graph), graph, new ByteTokenizer(), "bytes");
    return model;
  }

  /** The shape, as far as it shows in the graph. */
  private static TransformerConfig config(SameDiff graph) {
    int layers = 0;
    while (graph.hasVariable(GraphNames.inLayer(layers, GraphNames.CORE_KEYS))) {
      layers++;
    }
    long[] tokens = graph.getVariable(GraphNames.TOKEN_EMBEDDING).getShape();
    long[] positions = graph.getVariable(GraphNames.POSITION_EMBEDDING).getShape();
    long[] up = graph.getVariable(GraphNames.inLayer(0, GraphNames.UP_WEIGHT)).getShape();
    int[] heads = graph.getVariable("heads/shape").getArr().toIntVector(); // -1, heads, their size
    return new TransformerConfig(
        layers,
        (int) tokens[1],
        heads[1],
        heads[1],
        heads[2],
        (int) up[1],
        (int) tokens[0],
        (int) positions[0],
        1e-5f,
        new Positions.Learned(),
        TransformerConfig.Block.GPT2,
        false);
  }
}
