package kv4j.inference.plan;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import kv4j.inference.kernel.Kernels;
import kv4j.model.GraphNames;
import kv4j.model.Positions;
import kv4j.model.TransformerConfig;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Compiles a transformer's graph: groups its ops into the units that have a step (a whole scope, or
 * a single op), drops what nobody reads then, lets residual sums happen inside the projection
 * before them, and gives values whose lifetimes do not overlap the same memory.
 */
public final class PlanCompiler {
  private final SameDiff graph;
  private final GraphOps ops;
  private final ValueShapes shapes;
  private final Units grouped;
  private final List<Unit> units;
  private final TransformerConfig config;
  private final Kernels kernels;
  private final int workers;
  private final Arena arena;
  private final List<Step> steps = new ArrayList<>();
  private final Map<String, Register> registers = new HashMap<>();
  private final Map<String, Integer> lastRead = new HashMap<>();
  private final Map<String, NativeMatrix> weights = new HashMap<>();

  /** Sums that happen inside a projection, by the number of that. */
  private final Map<Integer, Integer> sumsInside = new HashMap<>();

  private RotaryTables tables;
  private OpRunner runner;

  private PlanCompiler(
      SameDiff graph,
      GraphOps ops,
      ValueShapes shapes,
      Units grouped,
      TransformerConfig config,
      Kernels kernels,
      int workers) {
    this.graph = graph;
    this.ops = ops;
    this.shapes = shapes;
    this.grouped = grouped;
    units = grouped.list();
    this.config = config;
    this.kernels = kernels;
    this.workers = workers;
    int widest = Math.max(config.dim(), Math.max(config.qkvDim(), config.upDim()));
    arena =
        new Arena(
            workers,
            config.heads() * config.headDim(),
            config.kvHeads() * config.headDim(),
            widest);
  }

  /**
   * Compiles the graph of the logits. Ops that no step knows run as SameDiff runs them.
   *
   * @param fuse whether to use steps of our own at all; if not, every op runs as SameDiff runs it,
   *     on whatever device ND4J has
   * @throws UnsupportedGraphException if the graph has no attention, or has loops or branches
   */
  public static Plan compile(
      SameDiff graph, TransformerConfig config, Kernels kernels, int workers, boolean fuse) {
    GraphOps ops = new GraphOps(graph, GraphNames.LOGITS);
    ValueShapes shapes = ValueShapes.assumed();
    Units units = Units.group(ops, shapes, fuse).neededFor(GraphNames.LOGITS);
    if (!units.has(Unit.Kind.CORE) && !units.has(Unit.Kind.HOOK)) {
      throw new UnsupportedGraphException("a graph without attention");
    }
    if (units.has(Unit.Kind.OTHER)) {
      shapes = ValueShapes.probed(graph, ops);
      units = Units.group(ops, shapes, fuse).neededFor(GraphNames.LOGITS);
    }
    return new PlanCompiler(graph, ops, shapes, units, config, kernels, workers).compile();
  }

  private Plan compile() {
    for (int u = 0; u < units.size(); u++) {
      for (String read : units.get(u).reads()) {
        lastRead.put(read, u);
      }
    }
    boolean allFused = !grouped.has(Unit.Kind.OTHER) && !grouped.has(Unit.Kind.HOOK);
    PlanOutline outline = new PlanOutline(ops, kernels.name());
    int lastHook = -1;
    int layer = 0;
    for (int u = 0; u < units.size(); u++) {
      Unit unit = units.get(u);
      if (sumsInside.containsValue(u)) {
        continue;
      }
      int firstStep = steps.size();
      switch (unit.kind()) {
        case EMBEDDING, POSITION_EMBEDDING -> addEmbedding(unit);
        case NORM, LAYER_NORM -> addNorm(unit);
        case MATMUL -> addMatmul(u);
        case ROTARY, NORMED_ROTARY, SPLIT -> addHeads(unit, shape(layer));
        case CORE -> {
          AttentionShape shape = shape(layer++);
          lastHook = steps.size();
          steps.add(new HookStep(arena, shape));
          steps.add(new AttendStep(kernels, arena, shape, define(unit, shape.queryColumns())));
        }
        case SWIGLU, GELU -> addActivation(unit);
        case ADD -> {
          Register left = registers.get(unit.reads().get(0));
          Register right = registers.get(unit.reads().get(1));
          if (left.columns() != right.columns()) {
            throw new UnsupportedGraphException("a sum of different shapes, " + unit.output());
          }
          steps.add(new AddStep(kernels, arena, left, right, define(unit, left.columns())));
        }
        case MASK -> steps.add(new MaskStep(unit.output()));
        case HOOK -> {
          lastHook = steps.size();
          steps.add(new OpHookStep(layer++, unit.reads(), unit.writes()));
        }
        case OTHER -> addOp(u);
      }
      if (unit.kind() == Unit.Kind.OTHER) {
        outline.addStock(unit, grouped.whyStock(unit));
      } else {
        outline.addFused(withSum(u), steps.subList(firstStep, steps.size()));
      }
    }
    if (allFused) {
      Lifetimes.selectRowsAfter(lastHook + 1, steps);
      outline.addOwn("(after the last attention)", steps.get(lastHook + 2));
    }
    Lifetimes.assignMatrices(steps, arena, registers.get(GraphNames.LOGITS));
    return new Plan(
        steps,
        lastHook,
        arena,
        new WorkerPool(workers),
        registers.get(GraphNames.LOGITS),
        allFused,
        outline.lines(steps.size()));
  }

  /** A unit and the sum that its step does as well. */
  private List<Unit> withSum(int u) {
    Integer sum = sumsInside.get(u);
    return sum == null ? List.of(units.get(u)) : List.of(units.get(u), units.get(sum));
  }

  private void addEmbedding(Unit unit) {
    NativeMatrix table = matrix(unit.weight());
    boolean byPosition = unit.kind() == Unit.Kind.POSITION_EMBEDDING;
    steps.add(new EmbeddingStep(table, byPosition, define(unit, table.columns())));
  }

  private void addNorm(Unit unit) {
    Register input = read(unit);
    float[] gain = matrix(unit.weight()).toHeap();
    float[] bias = bias(unit);
    float epsilon = ScopePatterns.epsilon(ops, unit.nodes());
    Register output = define(unit, input.columns());
    steps.add(new NormStep(kernels, arena, input, gain, bias, epsilon, output));
  }

  private void addHeads(Unit unit, AttentionShape shape) {
    HeadNorm norm =
        unit.weight() == null
            ? null
            : HeadNorm.of(matrix(unit.weight()), ScopePatterns.epsilon(ops, unit.nodes()));
    RotaryTables rotation = unit.kind() == Unit.Kind.SPLIT ? null : tables();
    steps.add(new RotaryStep(kernels, arena, shape, norm, rotation, read(unit)));
  }

  private void addActivation(Unit unit) {
    Register input = read(unit);
    boolean gated = unit.kind() == Unit.Kind.SWIGLU;
    Register output = define(unit, gated ? input.columns() / 2 : input.columns());
    steps.add(new ActivationStep(kernels, arena, gated, input, output));
  }

  /** The vector that a unit adds, or null. */
  private float[] bias(Unit unit) {
    String name = ScopePatterns.bias(ops, unit.nodes());
    return name == null ? null : matrix(name).toHeap();
  }

  private void addMatmul(int u) {
    Unit unit = units.get(u);
    NativeMatrix weight = matrix(unit.weight());
    Register input = read(unit);
    int sum = residualAfter(u);
    Register output;
    if (sum >= 0) {
      sumsInside.put(u, sum);
      output = registers.get(other(units.get(sum), unit.output()));
      registers.put(units.get(sum).output(), output);
    } else {
      output = define(unit, unit.transposed() ? weight.rows() : weight.columns());
    }
    float[] bias = bias(unit);
    steps.add(
        new MatmulStep(
            unit.output(),
            input,
            weight,
            unit.transposed(),
            output,
            sum >= 0,
            bias == null ? null : new Bias(kernels, arena, bias)));
  }

  /** An op that runs as it is; what steps of ours read of it goes to registers as well. */
  private void addOp(int u) {
    Unit unit = units.get(u);
    GraphOps.Node node = unit.nodes().get(0);
    if (!OpRunner.canRun(node)) {
      throw new UnsupportedGraphException("op " + node.type() + " " + node.output());
    }
    Map<String, OpStep.Bound> inputs = new HashMap<>();
    for (String input : node.inputs()) {
      if (registers.containsKey(input)) {
        inputs.put(input, new OpStep.Bound(registers.get(input), shapes.of(input)));
      }
    }
    Map<String, Register> stored = new HashMap<>();
    for (String output : node.outputs()) {
      if (isReadByStep(output)) {
        int columns = shapes.columns(output);
        if (columns < 0) {
          throw new UnsupportedGraphException(output + ", whose shape is not [rows, columns]");
        }
        Register register = new Register(columns);
        stored.put(output, register);
      }
    }
    List<String> lastReads =
        node.inputs().stream()
            .distinct()
            .filter(input -> !ops.isPlaceholder(input) && ops.weight(input) == null)
            .filter(input -> lastRead.get(input) == u)
            .toList();
    steps.add(new OpStep(runner(), node, inputs, stored, lastReads));
    registers.putAll(stored);
  }

  private boolean isReadByStep(String value) {
    return units.stream()
        .anyMatch(
            unit ->
                unit.kind() != Unit.Kind.OTHER
                    && unit.kind() != Unit.Kind.HOOK
                    && unit.reads().contains(value));
  }

  /**
   * The number of the sum that a projection can add itself into: the only reader of its result,
   * where nobody reads the other summand from the projection on. -1 if there is none.
   */
  private int residualAfter(int projection) {
    String result = units.get(projection).output();
    Integer reader = lastRead.get(result);
    if (reader == null || units.get(reader).kind() != Unit.Kind.ADD) {
      return -1;
    }
    String summand = other(units.get(reader), result);
    if (!registers.containsKey(summand) || lastRead.get(summand) != reader.intValue()) {
      return -1;
    }
    for (int u = projection; u < reader; u++) { // the projection itself may read the summand
      List<String> reads = units.get(u).reads();
      if (reads.contains(summand) || reads.contains(result)) {
        return -1;
      }
    }
    return reader;
  }

  private static String other(Unit sum, String summand) {
    List<String> reads = sum.reads();
    return reads.get(0).equals(summand) ? reads.get(1) : reads.get(0);
  }

  private AttentionShape shape(int layer) {
    return new AttentionShape(
        layer,
        config.heads(),
        config.kvHeads(),
        config.headDim(),
        (float) (1 / Math.sqrt(config.headDim())));
  }

  private RotaryTables tables() {
    if (tables == null) {
      tables =
          new RotaryTables(
              matrix(GraphNames.COS_TABLE).toHeap(),
              matrix(GraphNames.SIN_TABLE).toHeap(),
              config.positions() instanceof Positions.Rotary rotary
                  && rotary.pairing() == TransformerConfig.RopePairing.ADJACENT);
    }
    return tables;
  }

  private OpRunner runner() {
    if (runner == null) {
      runner = new OpRunner(graph);
    }
    return runner;
  }

  private Register read(Unit unit) {
    return registers.get(unit.reads().get(0));
  }

  private Register define(Unit unit, int columns) {
    Register register = new Register(columns);
    registers.put(unit.output(), register);
    return register;
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
