package kv4j.inference.plan;

import java.util.Arrays;
import java.util.List;
import kv4j.inference.pass.ForwardPass;
import kv4j.inference.plan.run.Arena;
import kv4j.inference.plan.run.PassState;
import kv4j.inference.plan.run.PassValues;
import kv4j.inference.plan.run.Register;
import kv4j.inference.plan.run.Step;
import kv4j.model.GraphNames;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/**
 * A transformer graph compiled to a list of steps, with the workers that run them. One pass runs at
 * a time; others wait.
 */
public final class Plan implements AutoCloseable {
  private final List<Step> steps;
  private final int lastHook;
  private final Arena arena;
  private final WorkerPool workers;
  private final Register logits;
  private final boolean allFused;
  private final List<String> outline;
  private boolean closed;

  /**
   * @param lastHook number of the step that hands the last layer's keys and values to the cache: a
   *     pass that needs no logits ends there
   * @param logits where they end up; null if they come from an op without a step
   * @param allFused whether every op has a step
   * @param outline of all this, for people
   */
  Plan(
      List<Step> steps,
      int lastHook,
      Arena arena,
      WorkerPool workers,
      Register logits,
      boolean allFused,
      List<String> outline) {
    this.steps = List.copyOf(steps);
    this.lastHook = lastHook;
    this.arena = arena;
    this.workers = workers;
    this.logits = logits;
    this.allFused = allFused;
    this.outline = outline;
  }

  /** Whether every op has a step of kv4j's own. */
  public boolean allFused() {
    return allFused;
  }

  /** Whether a pass may hold several sequences. */
  public boolean takesBatches() {
    return allFused;
  }

  /**
   * Runs a forward pass.
   *
   * @return logits of the rows asked for, in order, {@code [rows][vocabulary]}
   * @throws IllegalStateException if the plan was closed
   */
  public synchronized float[][] run(ForwardPass pass) {
    if (closed) {
      throw new IllegalStateException("the engine was closed");
    }
    arena.ensureRows(pass.rows(), pass.logitRows());
    PassState state = new PassState(pass, workers.workers());
    int logitRows = pass.logitRows();
    int count = logitRows == 0 ? lastHook + 1 : steps.size();
    try (PassValues values = state.values()) {
      if (!allFused) {
        values.put(GraphNames.TOKENS, Nd4j.createFromArray(state.tokens()));
        values.put(GraphNames.POSITIONS, Nd4j.createFromArray(state.positions()));
      }
      workers.run(worker -> runShare(state, worker, count));
      return logitRows == 0 ? new float[0][] : logits(pass, state);
    }
  }

  private float[][] logits(ForwardPass pass, PassState state) {
    float[][] rows = new float[pass.logitRows()][];
    long[] numbers = pass.logitRowNumbers();
    for (int row = 0; row < rows.length; row++) {
      if (logits == null) {
        INDArray all = state.values().get(GraphNames.LOGITS);
        rows[row] = all.getRow(numbers[row]).toFloatVector();
      } else {
        int at = logits.at(allFused ? row : (int) numbers[row]);
        rows[row] = Arrays.copyOfRange(logits.values(), at, at + logits.columns());
      }
    }
    return rows;
  }

  private void runShare(PassState state, int worker, int count) {
    for (int i = 0; i < count; i++) {
      Step step = steps.get(i);
      if (i > 0 && !(steps.get(i - 1).rowLocal(state) && step.rowLocal(state))) {
        workers.barrier();
      }
      if (workers.failed()) {
        continue; // but meet the others at every barrier
      }
      try {
        step.run(state, worker);
      } catch (RuntimeException | Error e) {
        workers.fail(e);
      }
    }
  }

  /** One line a step, for people. */
  public List<String> describe() {
    return steps.stream().map(Step::describe).toList();
  }

  /**
   * For people: how many steps there are and whether all ops are fused; then what became of each
   * part of the graph, alike layers together, and why if it is not fused.
   */
  public List<String> outline() {
    return outline;
  }

  /** Bytes of the arena. */
  public synchronized long arenaBytes() {
    return arena.bytes();
  }

  @Override
  public synchronized void close() {
    closed = true;
    workers.close();
    arena.close();
  }
}
