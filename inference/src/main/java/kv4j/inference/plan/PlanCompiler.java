package kv4j.inference.plan;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import kv4j.inference.kernel.Kernels;
import kv4j.model.GraphNames;
import kv4j.model.TransformerConfig;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Compiles a transformer's graph: groups its ops into the units that have a step (a whole scope, or
 * a single op), drops what nobody reads then, lets residual sums happen inside the projection
 * before them, and gives values whose lifetimes do not overlap the same memory.
 */
public final class PlanCompiler {
  private final GraphOps ops;
  private final TransformerConfig config;
  private final Kernels kernels;
  private final int workers;
  private final Arena arena;
  private final List<Step> steps = new ArrayList<>();
  private final Map<String, Register> registers = new HashMap<>();
  private final Map<String, Integer> lastRead = new HashMap<>();
  private final Map<String, NativeMatrix> weights = new HashMap<>();
  private RotaryTables tables;

  private PlanCompiler(GraphOps ops, TransformerConfig config, Kernels kernels, int workers) {
    this.ops = ops;
    this.config = config;
    this.kernels = kernels;
    this.workers = workers;
    int widest = Math.max(config.dim(), Math.max(config.qkvDim(), 2 * config.ffnDim()));
    arena =
        new Arena(
            workers,
            config.heads() * config.headDim(),
            config.kvHeads() * config.headDim(),
            widest);
  }

  /**
   * Compiles the graph of {@code logits}.
   *
   * @throws UnsupportedGraphException if an op or a scope has no step
   */
  public static Plan compile(
      org.nd4j.autodiff.samediff.SameDiff graph,
      TransformerConfig config,
      Kernels kernels,
      int workers) {
    return new PlanCompiler(new GraphOps(graph, GraphNames.LOGITS), config, kernels, workers)
        .compile();
  }

  private Plan compile() {
    List<Unit> units = needed(Unit.group(ops));
    for (int u = 0; u < units.size(); u++) {
      for (String read : units.get(u).reads()) {
        lastRead.put(read, u);
      }
    }
    tables =
        new RotaryTables(
            matrix(GraphNames.COS_TABLE).toHeap(),
            matrix(GraphNames.SIN_TABLE).toHeap(),
            matrix(GraphNames.COS_TABLE).rows(),
            config.ropePairing() == TransformerConfig.RopePairing.ADJACENT);
    int lastHook = -1;
    int layer = 0;
    Set<Integer> merged = new HashSet<>();
    for (int u = 0; u < units.size(); u++) {
      Unit unit = units.get(u);
      if (merged.contains(u)) {
        continue;
      }
      switch (unit.kind()) {
        case EMBEDDING ->
            steps.add(new EmbeddingStep(matrix(unit.weight()), define(unit, config.dim())));
        case NORM -> {
          Register input = read(unit);
          float[] gain = matrix(unit.weight()).toHeap();
          steps.add(
              new NormStep(
                  kernels,
                  arena,
                  input,
                  gain,
                  ScopePatterns.epsilon(ops, unit.nodes()),
                  define(unit, input.columns())));
        }
        case MATMUL -> {
          NativeMatrix weight = matrix(unit.weight());
          int sum = residualAfter(units, u);
          Register output;
          if (sum >= 0) {
            merged.add(sum);
            String other = other(units.get(sum), unit.output());
            output = registers.get(other);
            registers.put(units.get(sum).output(), output);
          } else {
            output = define(unit, unit.transposed() ? weight.rows() : weight.columns());
          }
          steps.add(
              new MatmulStep(
                  unit.output(), read(unit), weight, unit.transposed(), output, sum >= 0));
        }
        case ROTARY -> steps.add(new RotaryStep(kernels, arena, shape(layer), tables, read(unit)));
        case CORE -> {
          AttentionShape shape = shape(layer++);
          lastHook = steps.size();
          steps.add(new HookStep(arena, shape));
          steps.add(new AttendStep(kernels, arena, shape, define(unit, shape.queryColumns())));
        }
        case ACTIVATION -> {
          Register input = read(unit);
          steps.add(new ActivationStep(kernels, arena, input, define(unit, input.columns() / 2)));
        }
        case ADD -> {
          Register left = registers.get(unit.reads().get(0));
          Register right = registers.get(unit.reads().get(1));
          steps.add(new AddStep(kernels, arena, left, right, define(unit, left.columns())));
        }
        default -> throw new UnsupportedGraphException(unit.describe());
      }
    }
    if (lastHook < 0) {
      throw new UnsupportedGraphException("a graph without attention");
    }
    selectRowsAfter(lastHook + 1);
    assignMatrices();
    return new Plan(
        steps, lastHook, arena, new WorkerPool(workers), registers.get(GraphNames.LOGITS));
  }

  /** Only units that the logits depend on, now that a unit reads less than its ops do. */
  private static List<Unit> needed(List<Unit> units) {
    Set<String> wanted = new HashSet<>(Set.of(GraphNames.LOGITS));
    List<Unit> kept = new ArrayList<>();
    for (int u = units.size() - 1; u >= 0; u--) {
      Unit unit = units.get(u);
      if (unit.writes().stream().anyMatch(wanted::contains)) {
        kept.add(0, unit);
        wanted.addAll(unit.reads());
      }
    }
    return kept;
  }

  /**
   * The number of the sum that a projection can add itself into: the only reader of its result,
   * where nobody reads the other summand from the projection on. -1 if there is none.
   */
  private int residualAfter(List<Unit> units, int projection) {
    String result = units.get(projection).output();
    Integer reader = lastRead.get(result);
    if (reader == null || units.get(reader).kind() != Unit.Kind.ADD) {
      return -1;
    }
    String summand = other(units.get(reader), result);
    if (!registers.containsKey(summand) || lastRead.get(summand) != reader.intValue()) {
      return -1;
    }
    for (int u = projection; u < reader; u++) {
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

  /** Inserts the step that drops the rows nobody wants logits of. */
  private void selectRowsAfter(int attend) {
    Set<Register> written = new HashSet<>();
    for (Step step : steps.subList(0, attend + 1)) {
      written.addAll(step.writes());
    }
    Map<Register, Boolean> live = new LinkedHashMap<>();
    Set<Register> redefined = new HashSet<>();
    for (Step step : steps.subList(attend + 1, steps.size())) {
      for (Register register : step.reads()) {
        if (written.contains(register) && !redefined.contains(register)) {
          live.put(register, true);
        }
      }
      redefined.addAll(step.writes());
    }
    steps.add(attend + 1, new SelectRowsStep(new ArrayList<>(live.keySet())));
  }

  /** Linear scan: a register takes a free matrix of its width, or a new one. */
  private void assignMatrices() {
    Map<Register, Integer> lastUse = new HashMap<>();
    for (int s = 0; s < steps.size(); s++) {
      for (Register register : steps.get(s).reads()) {
        lastUse.put(register, s);
      }
      for (Register register : steps.get(s).writes()) {
        lastUse.put(register, s);
      }
    }
    lastUse.put(registers.get(GraphNames.LOGITS), steps.size());
    Map<Integer, List<Integer>> free = new HashMap<>();
    Map<Register, Integer> home = new HashMap<>();
    for (int s = 0; s < steps.size(); s++) {
      for (Register register : steps.get(s).writes()) {
        if (!home.containsKey(register)) {
          List<Integer> candidates =
              free.computeIfAbsent(register.columns(), k -> new ArrayList<>());
          int matrix =
              candidates.isEmpty()
                  ? arena.addMatrix(register.columns())
                  : candidates.remove(candidates.size() - 1);
          home.put(register, matrix);
          arena.share(matrix, register);
        }
      }
      for (Map.Entry<Register, Integer> entry : home.entrySet()) {
        if (lastUse.get(entry.getKey()) == s) {
          free.computeIfAbsent(entry.getKey().columns(), k -> new ArrayList<>())
              .add(entry.getValue());
        }
      }
    }
  }
}
