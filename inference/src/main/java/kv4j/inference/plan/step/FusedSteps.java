package kv4j.inference.plan.step;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import kv4j.inference.kernel.Kernels;
import kv4j.inference.kernel.Product;
import kv4j.inference.kernel.Weight;
import kv4j.inference.plan.graph.GraphOps;
import kv4j.inference.plan.graph.Unit;
import kv4j.inference.plan.graph.UnsupportedGraphException;
import kv4j.inference.plan.run.Arena;
import kv4j.inference.plan.run.Register;
import kv4j.inference.plan.run.Step;
import kv4j.model.Positions;
import kv4j.model.TransformerConfig;
import kv4j.model.weight.PanelMatrix;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/** Makes the steps that stand for units of a graph. */
public final class FusedSteps {
  private final GraphOps ops;
  private final TransformerConfig config;
  private final Kernels kernels;
  private final Arena arena;
  private final Map<String, Register> registers;
  private final Map<List<Object>, Product> products = new HashMap<>();
  private final Map<List<String>, RotaryTables> tables = new HashMap<>();

  /**
   * @param registers of all values so far, by name; the steps' results are added
   */
  public FusedSteps(
      GraphOps ops,
      TransformerConfig config,
      Kernels kernels,
      Arena arena,
      Map<String, Register> registers) {
    this.ops = ops;
    this.config = config;
    this.kernels = kernels;
    this.arena = arena;
    this.registers = registers;
  }

  /**
   * The steps of a unit: one, or for attention the hook and what comes after it.
   *
   * @param layer attention layer that the unit is in or comes before, from 0
   * @param sum what a projection is to be added into; null if nothing is
   */
  public List<Step> of(Unit unit, int layer, Unit sum) {
    return switch (unit.kind()) {
      case EMBEDDING, POSITION_EMBEDDING -> List.of(embedding(unit));
      case NORM, LAYER_NORM -> List.of(norm(unit));
      case MATMUL -> List.of(matmul(unit, sum));
      case ROTARY, NORMED_ROTARY, SPLIT -> List.of(heads(unit, shape(layer, 1)));
      case CORE -> attention(unit, shape(layer, scalar(unit, "scale")));
      case SWIGLU, GELU -> List.of(activation(unit));
      case ADD -> List.of(add(unit));
      case MASK, OTHER_MASK, HOOK, OTHER ->
          throw new IllegalArgumentException(unit + " is not fused");
    };
  }

  private Step embedding(Unit unit) {
    String name = unit.operand("weight");
    boolean byPosition = unit.kind() == Unit.Kind.POSITION_EMBEDDING;
    Optional<PanelMatrix> panels = ops.panels(name);
    if (panels.isPresent()) {
      PanelMatrix table = panels.get();
      return new EmbeddingStep(table::row, byPosition, define(unit, table.inputs()));
    }
    INDArray table = ops.weight(name);
    return new EmbeddingStep(
        EmbeddingStep.Table.of(table), byPosition, define(unit, (int) table.size(1)));
  }

  private Step norm(Unit unit) {
    Register input = read(unit);
    float[] gain = floats(unit.operand("gain"));
    float[] bias = bias(unit);
    float epsilon = scalar(unit, "epsilon");
    Register output = define(unit, input.columns());
    int n = input.columns();
    return bias == null
        ? new RowStep(
            "rms norm",
            input,
            (x, at, out, outAt) -> kernels.rmsNorm(x, at, gain, epsilon, n, out, outAt),
            output)
        : new RowStep(
            "layer norm",
            input,
            (x, at, out, outAt) -> kernels.layerNorm(x, at, gain, bias, epsilon, n, out, outAt),
            output);
  }

  private Step matmul(Unit unit, Unit sum) {
    Product product = product(unit.operand("weight"), unit.transposed());
    Register input = read(unit);
    Register output;
    if (sum == null) {
      output = define(unit, product.outputs());
    } else {
      output = registers.get(sum.otherThan(unit.output()));
      registers.put(sum.output(), output);
    }
    return new MatmulStep(unit.output(), arena, input, product, sum != null, bias(unit), output);
  }

  /** One for each weight, whoever multiplies with it. */
  private Product product(String name, boolean outputsFirst) {
    return products.computeIfAbsent(
        List.of(name, outputsFirst),
        key ->
            kernels.product(
                new Weight(
                    outputsFirst,
                    () ->
                        ops.panels(name)
                            .filter(panels -> panels.outputsFirst() == outputsFirst)
                            .orElseGet(() -> PanelMatrix.of(ops.weight(name), outputsFirst)),
                    () -> ops.weight(name))));
  }

  private Step heads(Unit unit, AttentionShape shape) {
    HeadNorm norm =
        unit.kind() == Unit.Kind.NORMED_ROTARY
            ? HeadNorm.of(floats(unit.operand("gain")), config.headDim(), scalar(unit, "epsilon"))
            : null;
    RotaryTables rotation = unit.kind() == Unit.Kind.SPLIT ? null : tables(unit);
    return new HeadsStep(kernels, arena, shape, norm, rotation, read(unit));
  }

  private List<Step> attention(Unit unit, AttentionShape shape) {
    return List.of(
        new HookStep(arena, shape),
        new AttendStep(kernels, arena, shape, define(unit, shape.queryColumns())));
  }

  private Step activation(Unit unit) {
    Register input = read(unit);
    boolean gated = unit.kind() == Unit.Kind.SWIGLU;
    Register output = define(unit, gated ? input.columns() / 2 : input.columns());
    int n = output.columns();
    return gated
        ? new RowStep(
            "swiglu",
            input, // gate, then up
            (x, at, out, outAt) -> kernels.swiGlu(x, at, n, out, outAt),
            output)
        : new RowStep(
            "gelu", input, (x, at, out, outAt) -> kernels.gelu(x, at, n, out, outAt), output);
  }

  private Step add(Unit unit) {
    Register left = registers.get(unit.reads().get(0));
    Register right = registers.get(unit.reads().get(1));
    if (left.columns() != right.columns()) {
      throw new UnsupportedGraphException("a sum of different shapes, " + unit.output());
    }
    return new AddStep(kernels, left, right, define(unit, left.columns()));
  }

  private AttentionShape shape(int layer, float scale) {
    return new AttentionShape(layer, config.heads(), config.kvHeads(), config.headDim(), scale);
  }

  private float scalar(Unit unit, String use) {
    return ops.scalar(unit.operand(use)).orElseThrow().floatValue();
  }

  private RotaryTables tables(Unit unit) {
    String cos = unit.operand("cosTable");
    String sin = unit.operand("sinTable");
    return tables.computeIfAbsent(
        List.of(cos, sin),
        names ->
            new RotaryTables(
                floats(cos),
                floats(sin),
                config.positions() instanceof Positions.Rotary rotary
                    && rotary.pairing() == TransformerConfig.RopePairing.ADJACENT));
  }

  private Register read(Unit unit) {
    return registers.get(unit.reads().get(0));
  }

  private Register define(Unit unit, int columns) {
    Register register = new Register(columns);
    registers.put(unit.output(), register);
    return register;
  }

  /** The vector that a unit adds, or null. */
  private float[] bias(Unit unit) {
    String name = unit.operand("bias");
    return name == null ? null : floats(name);
  }

  private float[] floats(String name) {
    INDArray array = ops.weight(name);
    if (array == null || array.dataType() != DataType.FLOAT) {
      throw new UnsupportedGraphException(name + ", which is not a weight of floats");
    }
    try (INDArray copy = array.dup('c')) {
      return copy.data().asFloat();
    }
  }
}
