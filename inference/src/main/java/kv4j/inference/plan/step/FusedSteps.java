package kv4j.inference.plan.step;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import kv4j.inference.kernel.Kernels;
import kv4j.inference.plan.graph.GraphOps;
import kv4j.inference.plan.graph.Unit;
import kv4j.inference.plan.graph.UnsupportedGraphException;
import kv4j.inference.plan.run.Arena;
import kv4j.inference.plan.run.NativeMatrix;
import kv4j.inference.plan.run.Register;
import kv4j.inference.plan.run.Step;
import kv4j.model.Positions;
import kv4j.model.TransformerConfig;
import org.nd4j.linalg.api.ndarray.INDArray;

/** Makes the steps that stand for units of a graph. */
public final class FusedSteps {
  private final GraphOps ops;
  private final TransformerConfig config;
  private final Kernels kernels;
  private final Arena arena;
  private final Map<String, Register> registers;
  private final Map<String, NativeMatrix> weights = new HashMap<>();
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
   * The steps of a unit: one, or for attention the hook and what comes after it, or for a
   * projection one more that adds up what workers have of it.
   *
   * @param layer attention layer that the unit is in or comes before, from 0
   * @param sum what a projection is to be added into; null if nothing is
   */
  public List<Step> of(Unit unit, int layer, Unit sum) {
    return switch (unit.kind()) {
      case EMBEDDING, POSITION_EMBEDDING -> List.of(embedding(unit));
      case NORM, LAYER_NORM -> List.of(norm(unit));
      case MATMUL -> matmul(unit, sum);
      case ROTARY, NORMED_ROTARY, SPLIT -> List.of(heads(unit, shape(layer, 1)));
      case CORE -> attention(unit, shape(layer, scalar(unit, "scale")));
      case SWIGLU, GELU -> List.of(activation(unit));
      case ADD -> List.of(add(unit));
      case MASK, OTHER_MASK, HOOK, OTHER ->
          throw new IllegalArgumentException(unit + " is not fused");
    };
  }

  private Step embedding(Unit unit) {
    NativeMatrix table = matrix(unit.operand("weight"));
    boolean byPosition = unit.kind() == Unit.Kind.POSITION_EMBEDDING;
    return new EmbeddingStep(table, byPosition, define(unit, table.columns()));
  }

  private Step norm(Unit unit) {
    Register input = read(unit);
    float[] gain = matrix(unit.operand("gain")).toHeap();
    float[] bias = bias(unit);
    float epsilon = scalar(unit, "epsilon");
    Register output = define(unit, input.columns());
    int n = input.columns();
    return bias == null
        ? new RowStep(
            "rms norm",
            arena,
            input,
            (row, result) -> kernels.rmsNorm(row, 0, gain, epsilon, n, result, 0),
            output)
        : new RowStep(
            "layer norm",
            arena,
            input,
            (row, result) -> kernels.layerNorm(row, 0, gain, bias, epsilon, n, result, 0),
            output);
  }

  private List<Step> matmul(Unit unit, Unit sum) {
    NativeMatrix weight = matrix(unit.operand("weight"));
    Register input = read(unit);
    Register output;
    if (sum == null) {
      output = define(unit, unit.transposed() ? weight.rows() : weight.columns());
    } else {
      output = registers.get(sum.otherThan(unit.output()));
      registers.put(sum.output(), output);
    }
    float[] bias = bias(unit);
    MatmulStep product =
        new MatmulStep(
            unit.output(),
            arena,
            input,
            weight,
            unit.transposed(),
            output,
            sum != null,
            bias == null ? null : new Bias(kernels, arena, bias));
    return unit.transposed()
        ? List.of(product)
        : List.of(product, new PartSumStep(arena, output, weight.rows()));
  }

  private Step heads(Unit unit, AttentionShape shape) {
    HeadNorm norm =
        unit.kind() == Unit.Kind.NORMED_ROTARY
            ? HeadNorm.of(matrix(unit.operand("gain")), scalar(unit, "epsilon"))
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
            arena,
            input, // gate, then up
            (row, result) -> kernels.swiGlu(row, 0, n, result, 0),
            output)
        : new RowStep(
            "gelu", arena, input, (row, result) -> kernels.gelu(row, 0, n, result, 0), output);
  }

  private Step add(Unit unit) {
    Register left = registers.get(unit.reads().get(0));
    Register right = registers.get(unit.reads().get(1));
    if (left.columns() != right.columns()) {
      throw new UnsupportedGraphException("a sum of different shapes, " + unit.output());
    }
    return new AddStep(kernels, arena, left, right, define(unit, left.columns()));
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
                matrix(cos).toHeap(),
                matrix(sin).toHeap(),
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
    return name == null ? null : matrix(name).toHeap();
  }

  private NativeMatrix matrix(String name) {
    return weights.computeIfAbsent(
        name,
        key -> {
          INDArray array = ops.weight(key);
          if (array == null) {
            throw new UnsupportedGraphException(key + ", which is not a weight");
          }
          return NativeMatrix.over(key, array);
        });
  }
}
