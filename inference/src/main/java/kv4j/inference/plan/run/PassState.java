package kv4j.inference.plan.run;

import java.util.List;
import java.util.concurrent.atomic.AtomicIntegerArray;
import kv4j.cache.block.KvSpans;
import kv4j.inference.pass.ForwardPass;

/**
 * The state of the forward pass a plan is running. Written by worker 0 between barriers, read by
 * all.
 */
public final class PassState {
  /** From so many rows on a pass is long. */
  private static final int LONG = 128;

  private final int workers;
  private final List<ForwardPass.Segment> segments;
  private final int[] tokens;
  private final int[] positions;
  private final int[] segmentBegin;
  private final KvSpans[] spans;
  private final AtomicIntegerArray tasksTaken;
  private final long[] logitRows;
  private final PassValues values = new PassValues();
  private int rows;

  public PassState(ForwardPass pass, int workers) {
    this.workers = workers;
    segments = pass.segments();
    tasksTaken = new AtomicIntegerArray(workers);
    rows = pass.rows();
    logitRows = pass.logitRowNumbers();
    tokens = new int[rows];
    positions = new int[rows];
    segmentBegin = new int[segments.size() + 1];
    spans = new KvSpans[segments.size()];
    int row = 0;
    for (int s = 0; s < segments.size(); s++) {
      ForwardPass.Segment segment = segments.get(s);
      segmentBegin[s] = row;
      for (int p = segment.from(); p < segment.to(); p++) {
        tokens[row] = segment.tokens()[p];
        positions[row++] = p;
      }
    }
    segmentBegin[segments.size()] = row;
  }

  public int workers() {
    return workers;
  }

  public List<ForwardPass.Segment> segments() {
    return segments;
  }

  /** Rows in the matrices now: all new tokens, and after the last attention those with logits. */
  public int rows() {
    return rows;
  }

  /** Numbers of the rows whose logits are asked for, ascending. */
  public long[] logitRows() {
    return logitRows;
  }

  public int token(int row) {
    return tokens[row];
  }

  public int position(int row) {
    return positions[row];
  }

  /** The first row of a segment. */
  public int segmentBegin(int segment) {
    return segmentBegin[segment];
  }

  /** What a segment's rows attend to in the current layer. */
  public KvSpans spans(int segment) {
    return spans[segment];
  }

  public void setSpans(int segment, KvSpans answer) {
    spans[segment] = answer;
  }

  /**
   * Hands out tasks of the current step: first a worker's own share of them, which is the same
   * stretch each time, so that it finds in its cache what it touched before; then what others have
   * not come to.
   *
   * @param tasks how many the step has
   * @return a task's number, or -1 when none is left
   */
  public int nextTask(int worker, int tasks) {
    for (int i = 0; i < workers; i++) {
      int owner = (worker + i) % workers;
      int begin = shareBegin(tasks, owner);
      int end = shareBegin(tasks, owner + 1);
      if (begin + tasksTaken.get(owner) < end) {
        int task = begin + tasksTaken.getAndIncrement(owner);
        if (task < end) {
          return task;
        }
      }
    }
    return -1;
  }

  /** Makes all tasks of the next step available. */
  public void resetTasks() {
    for (int worker = 0; worker < workers; worker++) {
      tasksTaken.set(worker, 0);
    }
  }

  public void shrinkTo(int newRows) {
    rows = newRows;
  }

  /** Arrays of ops that have no step of their own; worker 0's. */
  public PassValues values() {
    return values;
  }

  /** Token ids of all rows. */
  public int[] tokens() {
    return tokens;
  }

  /** Positions of all rows. */
  public int[] positions() {
    return positions;
  }

  /** Whether multiplying takes longer than reading the weights. */
  public boolean isLong() {
    return rows >= LONG;
  }

  /** A worker's first of so many things that are shared out evenly; the end of the one before. */
  public int shareBegin(int count, int worker) {
    return (int) ((long) count * worker / workers);
  }

  /** A worker's first row, where rows are shared out evenly. */
  public int rowBegin(int worker) {
    return shareBegin(rows, worker);
  }

  /** The end (exclusive) of a worker's rows. */
  public int rowEnd(int worker) {
    return rowBegin(worker + 1);
  }
}
