package kv4j.inference.plan;

import java.util.Arrays;
import java.util.List;
import java.util.Optional;
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
 * a time; others wait for its end, or, where it was {@link #begin begun} to be left, for the end of
 * a layer.
 */
public final class Plan implements AutoCloseable {
  private final List<Step> steps;
  private final List<Integer> hooks;
  private final Arena arena;
  private final Arena.Bank main = new Arena.Bank();
  private final Arena.Bank beside = new Arena.Bank(); // of passes while another is left
  private final WorkerPool workers;
  private final Register logits;
  private final boolean allFused;
  private final List<String> outline;
  private Slices left; // the pass that is begun and not at its end; null if there is none
  private boolean closed;

  /**
   * @param hooks numbers of the steps that hand a layer's keys and values to the cache: a pass that
   *     needs no logits ends with the last of them
   * @param logits where they end up; null if they come from an op without a step
   * @param allFused whether every op has a step
   * @param outline of all this, for people
   */
  Plan(
      List<Step> steps,
      List<Integer> hooks,
      Arena arena,
      WorkerPool workers,
      Register logits,
      boolean allFused,
      List<String> outline) {
    this.steps = List.copyOf(steps);
    this.hooks = List.copyOf(hooks);
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
    requireOpen();
    arena.select(left == null ? main : beside, pass.rows(), pass.logitRows());
    PassState state = new PassState(pass, workers.workers());
    int end = end(pass);
    try (PassValues values = state.values()) {
      if (!allFused) {
        values.put(GraphNames.TOKENS, Nd4j.createFromArray(state.tokens()));
        values.put(GraphNames.POSITIONS, Nd4j.createFromArray(state.positions()));
      }
      workers.run(worker -> runShare(state, worker, 0, end));
      return logits(pass, state);
    }
  }

  /**
   * Begins a forward pass that is to be left between layers, for others to run. No step of it runs
   * yet.
   *
   * @return nothing if it cannot be left, and {@link #run} has to run it: because not every op has
   *     a step, or because another one is left
   * @throws IllegalStateException if the plan was closed
   */
  public synchronized Optional<Slices> begin(ForwardPass pass) {
    requireOpen();
    if (!allFused || left != null) {
      return Optional.empty();
    }
    left = new Slices(pass);
    return Optional.of(left);
  }

  private void requireOpen() {
    if (closed) {
      throw new IllegalStateException("the engine was closed");
    }
  }

  /** Number of the step that a pass ends before. */
  private int end(ForwardPass pass) {
    return pass.logitRows() == 0 ? hooks.get(hooks.size() - 1) + 1 : steps.size();
  }

  /** A pass that runs layer by layer. Any other may run in between. */
  public final class Slices implements AutoCloseable {
    private final ForwardPass pass;
    private final PassState state;
    private final int end;
    private int done; // steps

    private Slices(ForwardPass pass) {
      this.pass = pass;
      state = new PassState(pass, workers.workers());
      end = end(pass);
    }

    /**
     * Runs on until a layer's keys and values are about to be handed to the cache, or to the end.
     * If a step throws, that is the end.
     *
     * @return logits as {@link #run} returns them; nothing before the end
     * @throws IllegalStateException if it has come to its end, or the plan was closed
     */
    public Optional<float[][]> advance() {
      synchronized (Plan.this) {
        requireOpen();
        if (left != this) {
          throw new IllegalStateException("the pass has come to its end");
        }
        arena.select(main, pass.rows(), pass.logitRows());
        int from = done;
        done = hooks.stream().skip(1).filter(hook -> hook > from).findFirst().orElse(end);
        boolean goesOn = false;
        try {
          workers.run(worker -> runShare(state, worker, from, done));
          goesOn = done < end;
          return goesOn ? Optional.empty() : Optional.of(logits(pass, state));
        } finally {
          if (!goesOn) {
            left = null;
          }
        }
      }
    }

    /**
     * Gives the pass up if it has not come to its end: its sequences are as after a pass that has
     * failed. May be called more than once.
     */
    @Override
    public void close() {
      synchronized (Plan.this) {
        left = left == this ? null : left;
      }
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

  private void runShare(PassState state, int worker, int from, int to) {
    for (int i = from; i < to; i++) {
      Step step = steps.get(i);
      if (i > from && !(steps.get(i - 1).rowLocal(state) && step.rowLocal(state))) {
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

  /** Bytes of the arena, without the workers' scratch. */
  public synchronized long arenaBytes() {
    return main.bytes() + beside.bytes();
  }

  @Override
  public synchronized void close() {
    closed = true;
    workers.close();
    arena.drop(main);
    arena.drop(beside);
  }
}
