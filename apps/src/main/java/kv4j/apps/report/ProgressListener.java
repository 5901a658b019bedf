package kv4j.apps.report;

import kv4j.apps.cli.Terminal;
import kv4j.inference.measure.WorkloadListener;

/** Shows a workload's progress to people. */
public final class ProgressListener implements WorkloadListener {
  private final String task;
  private final Terminal terminal;
  private Progress progress;

  public ProgressListener(String task, Terminal terminal) {
    this.task = task;
    this.terminal = terminal;
  }

  @Override
  public void start(int steps) {
    progress = Progress.of(task, steps, terminal);
  }

  @Override
  public void step(String label) {
    progress.step(label);
  }

  @Override
  public void end() {
    progress.close();
  }
}
