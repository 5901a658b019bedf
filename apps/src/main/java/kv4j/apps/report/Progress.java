package kv4j.apps.report;

import java.io.PrintStream;
import kv4j.apps.cli.Terminal;
import me.tongfei.progressbar.ConsoleProgressBarConsumer;
import me.tongfei.progressbar.ProgressBar;
import me.tongfei.progressbar.ProgressBarBuilder;
import me.tongfei.progressbar.ProgressBarStyle;

/** Shows how far a long run has come: a bar on a terminal, and else a line now and then. */
public interface Progress extends AutoCloseable {
  /**
   * One more step is done.
   *
   * @param label what is going on, in a few words
   */
  void step(String label);

  /** Nothing more is to come. */
  @Override
  void close();

  /** Of a run of a known number of steps, on {@code err}. */
  static Progress of(String task, int steps, Terminal terminal) {
    return terminal.errIsTerminal()
        ? bar(task, steps, terminal.err())
        : new Lines(task, steps, terminal.err());
  }

  private static Progress bar(String task, int steps, PrintStream err) {
    ProgressBar bar =
        new ProgressBarBuilder()
            .setTaskName(task)
            .setInitialMax(steps)
            .setStyle(ProgressBarStyle.ASCII)
            .setConsumer(new ConsoleProgressBarConsumer(err, Terminal.COLUMNS - 1))
            .setMaxRenderedLength(Terminal.COLUMNS - 1)
            .clearDisplayOnFinish()
            .build();
    return new Progress() {
      @Override
      public void step(String label) {
        bar.step();
        bar.setExtraMessage(label);
      }

      @Override
      public void close() {
        bar.close();
      }
    };
  }

  /** A line for every tenth of the way. */
  final class Lines implements Progress {
    private static final int PARTS = 10;

    private final String task;
    private final int steps;
    private final PrintStream err;
    private int done;

    Lines(String task, int steps, PrintStream err) {
      this.task = task;
      this.steps = steps;
      this.err = err;
    }

    @Override
    public void step(String label) {
      long partBefore = (long) done * PARTS / steps;
      done++;
      if ((long) done * PARTS / steps > partBefore) {
        err.println(task + ": " + done + " of " + steps + " (" + label + ")");
      }
    }

    @Override
    public void close() {}
  }
}
