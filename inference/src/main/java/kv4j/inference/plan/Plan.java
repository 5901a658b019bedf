package kv4j.inference.plan;

import java.util.List;
import kv4j.inference.ForwardPass;
import org.nd4j.linalg.api.buffer.DataType;
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
  private boolean closed;

  /**
   * @param lastHook number of the step that hands the last layer's keys and values to the cache: a
   *     pass that needs no logits ends there
   */
  Plan(List<Step> steps, int lastHook, Arena arena, WorkerPool workers, Register logits) {
    this.steps = List.copyOf(steps);
    this.lastHook = lastHook;
    this.arena = arena;
    this.workers = workers;
    this.logits = logits;
  }

  /**
   * Runs a forward pass.
   *
   * @return logits of the rows asked for, in order, {@code [rows, vocabulary]}, the caller's to
   *     close; an empty array if none were asked for
   * @throws IllegalStateException if the plan was closed
   */
  public synchronized INDArray run(ForwardPass pass) {
    if (closed) {
      throw new IllegalStateException("the engine was closed");
    }
    arena.ensureRows(pass.rows());
    PassState state = new PassState(pass, workers.workers());
    int logitRows = pass.logitRows();
    int count = logitRows == 0 ? lastHook + 1 : steps.size();
    workers.run(worker -> runShare(state, worker, count));
    if (logitRows == 0) {
      return Nd4j.empty(DataType.FLOAT);
    }
    INDArray result = Nd4j.createUninitialized(DataType.FLOAT, logitRows, logits.columns());
    NativeMatrix target = NativeMatrix.over("logits", result);
    for (int row = 0; row < logitRows; row++) {
      target.putRow(row, logits.matrix(), row);
    }
    return result;
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
