package kv4j.inference.example;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.LongStream;
import onnx.Onnx.AttributeProto;
import onnx.Onnx.GraphProto;
import onnx.Onnx.ModelProto;
import onnx.Onnx.NodeProto;
import onnx.Onnx.OperatorSetIdProto;
import onnx.Onnx.TensorProto;
import onnx.Onnx.TensorShapeProto;
import onnx.Onnx.TypeProto;
import onnx.Onnx.ValueInfoProto;
import org.nd4j.shade.protobuf.ByteString;

/**
 * An ONNX file with a small untrained transformer, written as an exporter would: causal attention,
 * positions by an embedding, a ReLU between the feed-forward projections, no norms.
 */
public final class OnnxFile {
  private static final int LAYERS = 2;
  private static final int HEADS = 4;
  private static final int HEAD_DIM = 6;
  private static final int DIM = HEADS * HEAD_DIM;
  private static final int VOCABULARY = 258;
  private static final int CONTEXT = 512;
  private static final int OPSET = 11;

  private final GraphProto.Builder graph = GraphProto.newBuilder().setName("transformer");
  private final SplittableRandom random;

  private OnnxFile(long seed) {
    random = new SplittableRandom(seed);
  }

  /** Writes it, with weights of a seed. */
  public static void write(Path file, long seed) throws IOException {
    OnnxFile content = new OnnxFile(seed);
    content.transformer();
    ModelProto model =
        ModelProto.newBuilder()
            .setIrVersion(7)
            .addOpsetImport(OperatorSetIdProto.newBuilder().setVersion(OPSET))
            .setGraph(content.graph)
            .build();
    try (OutputStream out = Files.newOutputStream(file)) {
      model.writeTo(out);
    }
  }

  private void transformer() {
    graph.addInput(info("tokens", TensorProto.DataType.INT32));
    graph.addInput(info("positions", TensorProto.DataType.INT32));
    graph.addOutput(info("logits", TensorProto.DataType.FLOAT));
    String column = node("Unsqueeze", "causal_mask/column", List.of("positions"), ints("axes", 1));
    String later = node("Greater", "causal_mask/later", List.of("positions", column));
    String ones = node("Cast", "causal_mask/ones", List.of(later), number("to", 1)); // to FLOAT
    String mask =
        node("Mul", "causal_mask/out", List.of(ones, scalar("causal_mask/lowest", -1e9f)));
    longs("heads/shape", -1, HEADS, HEAD_DIM);
    longs("rows/shape", -1, DIM);
    scalar("scale", (float) (1 / Math.sqrt(HEAD_DIM)));
    String rows =
        node(
            "Add",
            "embedding/out",
            List.of(
                node(
                    "Gather",
                    "embedding/tokens",
                    List.of(weight("token_embedding", VOCABULARY, DIM), "tokens")),
                node(
                    "Gather",
                    "embedding/positions",
                    List.of(weight("position_embedding", CONTEXT, DIM), "positions"))));
    for (int layer = 0; layer < LAYERS; layer++) {
      String in = "layer_" + layer + "/";
      String attended = attention(in + "attention/", rows, mask);
      rows = node("Add", in + "attention/residual", List.of(rows, attended));
      String up = project(in + "ffn/up/", rows, DIM, 2 * DIM);
      String active = node("Relu", in + "ffn/activation/out", List.of(up));
      String down = project(in + "ffn/down/", active, 2 * DIM, DIM);
      rows = node("Add", in + "ffn/residual", List.of(rows, down));
    }
    node("MatMul", "logits", List.of(rows, weight("output/weight", DIM, VOCABULARY)));
  }

  private String attention(String in, String rows, String mask) {
    String core = in + "core/";
    String queries = heads(in + "queries", project(in + "q/", rows, DIM, DIM));
    String newKeys = heads(in + "new_keys", project(in + "k/", rows, DIM, DIM));
    String newValues = heads(in + "new_values", project(in + "v/", rows, DIM, DIM));
    String keys = node("Identity", core + "keys", List.of(newKeys)); // here the cache plugs in
    String values = node("Identity", core + "values", List.of(newValues)); // and here
    String left = node("Transpose", core + "left", List.of(queries), ints("perm", 1, 0, 2));
    String right = node("Transpose", core + "right", List.of(keys), ints("perm", 1, 2, 0));
    String products = node("MatMul", core + "products", List.of(left, right));
    String scores = node("Mul", core + "scores", List.of(products, "scale"));
    String masked = node("Add", core + "masked", List.of(scores, mask));
    String shares = node("Softmax", core + "shares", List.of(masked), number("axis", -1));
    String byHead = node("Transpose", core + "by_head", List.of(values), ints("perm", 1, 0, 2));
    String mixed = node("MatMul", core + "mixed", List.of(shares, byHead));
    String byRow = node("Transpose", core + "by_row", List.of(mixed), ints("perm", 1, 0, 2));
    String flat = node("Reshape", core + "out", List.of(byRow, "rows/shape"));
    return project(in + "output/", flat, DIM, DIM);
  }

  private String heads(String name, String rows) {
    return node("Reshape", name, List.of(rows, "heads/shape"));
  }

  private String project(String in, String rows, int from, int to) {
    return node("MatMul", in + "out", List.of(rows, weight(in + "weight", from, to)));
  }

  private String node(String op, String out, List<String> in, AttributeProto... attributes) {
    graph.addNode(
        NodeProto.newBuilder()
            .setOpType(op)
            .setName(out)
            .addOutput(out)
            .addAllInput(in)
            .addAllAttribute(List.of(attributes)));
    return out;
  }

  private static AttributeProto ints(String name, long... values) {
    return AttributeProto.newBuilder()
        .setName(name)
        .setType(AttributeProto.AttributeType.INTS)
        .addAllInts(LongStream.of(values).boxed().toList())
        .build();
  }

  private static AttributeProto number(String name, long value) {
    return AttributeProto.newBuilder()
        .setName(name)
        .setType(AttributeProto.AttributeType.INT)
        .setI(value)
        .build();
  }

  private String weight(String name, int rows, int columns) {
    ByteBuffer floats = ByteBuffer.allocate(rows * columns * Float.BYTES);
    floats.order(ByteOrder.LITTLE_ENDIAN);
    while (floats.hasRemaining()) {
      floats.putFloat((float) ((random.nextDouble() - 0.5) * 2 / Math.sqrt(DIM)));
    }
    graph.addInitializer(
        TensorProto.newBuilder()
            .setName(name)
            .setDataType(TensorProto.DataType.FLOAT.getNumber())
            .addDims(rows)
            .addDims(columns)
            .setRawData(ByteString.copyFrom(floats.flip())));
    return name;
  }

  private String scalar(String name, float value) {
    graph.addInitializer(
        TensorProto.newBuilder()
            .setName(name)
            .setDataType(TensorProto.DataType.FLOAT.getNumber())
            .addFloatData(value));
    return name;
  }

  private void longs(String name, long... values) {
    graph.addInitializer(
        TensorProto.newBuilder()
            .setName(name)
            .setDataType(TensorProto.DataType.INT64.getNumber())
            .addDims(values.length)
            .addAllInt64Data(LongStream.of(values).boxed().toList()));
  }

  /** Of as many rows as there are tokens. */
  private static ValueInfoProto info(String name, TensorProto.DataType type) {
    TensorShapeProto.Builder shape = TensorShapeProto.newBuilder();
    shape.addDim(TensorShapeProto.Dimension.newBuilder().setDimParam("rows"));
    if (type == TensorProto.DataType.FLOAT) {
      shape.addDim(TensorShapeProto.Dimension.newBuilder().setDimValue(VOCABULARY));
    }
    TypeProto.Tensor tensor =
        TypeProto.Tensor.newBuilder().setElemType(type.getNumber()).setShape(shape).build();
    return ValueInfoProto.newBuilder()
        .setName(name)
        .setType(TypeProto.newBuilder().setTensorType(tensor))
        .build();
  }
}
