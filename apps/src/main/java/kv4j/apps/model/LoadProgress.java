package kv4j.apps.model;

import java.util.Optional;
import java.util.stream.Collectors;
import kv4j.apps.cli.Terminal;
import kv4j.apps.report.Format;
import kv4j.apps.report.Progress;
import kv4j.inference.kernel.KernelWarmUp;
import kv4j.model.family.LoadListener;
import kv4j.model.family.ModelInfo;
import kv4j.model.format.ModelFileException;

/** Tells people of a model being loaded: what it takes, and if that is much, how far it is. */
final class LoadProgress implements LoadListener, AutoCloseable {
  private static final long STEP_BYTES = 64L << 20;

  private final Terminal terminal;
  private final Optional<Integer> context;
  private Progress progress;
  private long stepsDone;

  /**
   * @param context most tokens of a sequence that are asked for, if that is said
   */
  LoadProgress(Terminal terminal, Optional<Integer> context) {
    this.terminal = terminal;
    this.context = context;
  }

  @Override
  public void started(ModelInfo info) {
    terminal
        .err()
        .printf(
            "loading %s (%s, %s), which takes %s of memory%n",
            info.name(), info.format(), info.family().architecture(), Format.bytes(info.bytes()));
    int has = info.config().context();
    context
        .filter(asked -> asked > has)
        .ifPresent(
            asked ->
                terminal
                    .err()
                    .println(
                        "--context %d is beyond the model's own context of %d tokens, which counts"
                            .formatted(asked, has)));
    if (!info.unknownKeys().isEmpty()) {
      terminal
          .err()
          .println(
              "not known, and taken to be without effect: "
                  + info.unknownKeys().stream()
                      .map(ModelFileException::printable)
                      .collect(Collectors.joining(", ")));
    }
    info.weightTypes().forEach(KernelWarmUp::startInBackground);
    int steps = (int) (info.weightBytes() / STEP_BYTES);
    if (steps > 0) {
      progress = Progress.of("loading", steps, terminal);
    }
  }

  @Override
  public void progressed(long bytes) {
    while (progress != null && stepsDone < bytes / STEP_BYTES) {
      stepsDone++;
      progress.step(Format.bytes(bytes));
    }
  }

  @Override
  public void close() {
    if (progress != null) {
      progress.close();
    }
  }
}
