package kv4j.apps.measure;

import java.util.function.Consumer;
import kv4j.apps.cli.Terminal;
import kv4j.apps.report.Progress;
import kv4j.cache.KvCache;

/** Shows a workload's progress to people. */
public final class ProgressListener implements WorkloadListener {
  private final String task;
  private final Terminal terminal;
  private final Consumer<KvCache> atEnd;
  private Progress progress;

  /**
   * @param atEnd looks into the cache under test once it has run the whole workload
   */
  public ProgressListener(String task, Terminal terminal, Consumer<KvCache> atEnd) {
    this.atEnd = atEnd;
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
  public void finished(KvCache cache) {
    atEnd.accept(cache);
  }

  @Override
  public void end() {
    progress.close();
  }
}
