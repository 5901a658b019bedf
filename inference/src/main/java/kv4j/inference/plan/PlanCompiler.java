package kv4j.inference.plan;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import kv4j.inference.kernel.Kernels;
import kv4j.inference.plan.graph.GraphOps;
import kv4j.inference.plan.graph.Unit;
import kv4j.inference.plan.graph.Units;
import kv4j.inference.plan.graph.UnsupportedGraphException;
import kv4j.inference.plan.graph.Uses;
import kv4j.inference.plan.graph.ValueShapes;
import kv4j.inference.plan.op.OpSteps;
import kv4j.inference.plan.run.Arena;
import kv4j.inference.plan.run.Register;
import kv4j.inference.plan.run.Step;
import kv4j.inference.plan.step.FusedSteps;
import kv4j.model.GraphNames;
import kv4j.model.TransformerConfig;
import org.nd4j.autodiff.samediff.SameDiff;

/**
 * Compiles a transformer's graph: groups its ops into the units that have a step (a whole scope, or
 * a single op), drops what nobody reads then, lets residual sums happen inside the projection
 * before them, and gives values whose lifetimes do not overlap the same memory.
 */
public final class PlanCompiler {
  private final Units units;
  private final Uses uses;
  private final Map<String, Register> registers = new HashMap<>();
  private final FusedSteps fusedSteps;
  private final OpSteps opSteps;
  private final Arena arena;
  private final PlanOutline outline;
  private final List<Step> steps = new ArrayList<>();

  private PlanCompiler(
      SameDiff graph,
      GraphOps ops,
      ValueShapes shapes,
      Units units,
      TransformerConfig config,
      Kernels kernels,
      int workers,
      String whyNot) {
    this.units = units;
    uses = new Uses(units.list());
    arena =
        new Arena(workers, config.heads() * config.headDim(), config.kvHeads() * config.headDim());
    fusedSteps = new FusedSteps(ops, config, kernels, arena, registers);
    opSteps = new OpSteps(graph, ops, shapes, uses, registers);
    outline = new PlanOutline(ops, kernels.name(), whyNot);
  }

  /**
   * Compiles the graph of the logits. Ops that no step knows run as SameDiff runs them.
   *
   * @param fuse whether to use steps of our own at all; if not, every op runs as SameDiff runs it,
   *     on whatever device ND4J has
   * @param whyNot why steps of our own are not used, to be read by people; empty: they are, or run
   *     on a CPU only
   * @throws UnsupportedGraphException if the graph has no attention, or has loops or branches
   */
  public static Plan compile(
      SameDiff graph,
      TransformerConfig config,
      Kernels kernels,
      int workers,
      boolean fuse,
      String whyNot) {
    GraphOps ops = new GraphOps(graph, GraphNames.LOGITS);
    ValueShapes shapes = ValueShapes.assumed();
    Units units = Units.group(ops, config, shapes, fuse).neededFor(GraphNames.LOGITS);
    if (!units.has(Unit.Kind.CORE) && !units.has(Unit.Kind.HOOK)) {
      throw new UnsupportedGraphException("a graph without attention");
    }
    if (units.has(Unit.Kind.OTHER)) {
      shapes = ValueShapes.probed(graph, ops);
      units = Units.group(ops, config, shapes, fuse).neededFor(GraphNames.LOGITS);
    }
    PlanCompiler compiler =
        new PlanCompiler(graph, ops, shapes, units, config, kernels, workers, whyNot);
    return compiler.compile(workers);
  }

  private Plan compile(int workers) {
    List<Integer> hooks = addSteps();
    int lastHook = hooks.get(hooks.size() - 1);
    boolean allFused = !units.has(Unit.Kind.OTHER) && !units.has(Unit.Kind.HOOK);
    if (allFused) {
      Lifetimes.selectRowsAfter(lastHook + 1, steps);
      outline.addOwn("(after the last attention)", steps.get(lastHook + 2));
    }
    Register logits = registers.get(GraphNames.LOGITS);
    Lifetimes.assignMatrices(steps, arena, logits, allFused && Lifetimes.isLast(logits, steps));
    return new Plan(
        steps,
        hooks,
        arena,
        new WorkerPool(workers),
        logits,
        allFused,
        outline.lines(steps.size()));
  }

  /** Adds the steps of all units and returns the numbers of those that are layers' hooks. */
  private List<Integer> addSteps() {
    Set<Integer> sumsInside = new HashSet<>();
    List<Integer> hooks = new ArrayList<>();
    int layer = 0;
    for (int u = 0; u < units.list().size(); u++) {
      Unit unit = units.list().get(u);
      if (sumsInside.contains(u)) {
        continue;
      }
      if (unit.kind() == Unit.Kind.CORE || unit.kind() == Unit.Kind.HOOK) {
        hooks.add(steps.size());
      }
      switch (unit.kind()) {
        case OTHER -> {
          steps.add(opSteps.op(unit, u));
          outline.addStock(unit, units.whyStock(unit));
        }
        case MASK -> addFused(List.of(unit), List.of(opSteps.causalMask(unit)));
        case OTHER_MASK -> addFused(List.of(unit), List.of(opSteps.otherMask(unit)));
        case HOOK -> addFused(List.of(unit), List.of(opSteps.hook(unit, layer++)));
        case CORE -> addFused(List.of(unit), fusedSteps.of(unit, layer++, null));
        case MATMUL -> {
          int sum = uses.sumAfter(u, registers::containsKey);
          if (sum < 0) {
            addFused(List.of(unit), fusedSteps.of(unit, layer, null));
          } else {
            sumsInside.add(sum);
            Unit inside = units.list().get(sum);
            addFused(List.of(unit, inside), fusedSteps.of(unit, layer, inside));
          }
        }
        default -> addFused(List.of(unit), fusedSteps.of(unit, layer, null));
      }
    }
    return hooks;
  }

  private void addFused(List<Unit> together, List<Step> made) {
    steps.addAll(made);
    outline.addFused(together, made);
  }
}
