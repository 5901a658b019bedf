package kv4j.apps.report;

import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.Map;

/** Notes how long each phase of this process takes. */
public final class Phases {
  private final Map<Phase, Double> millis = new EnumMap<>(Phase.class);
  private long begin;

  /**
   * Of which the first, {@link Phase#JVM}, is over.
   *
   * @param mainNanos when the program's first line ran, as {@link System#nanoTime} had it
   */
  public Phases(long mainNanos) {
    OwnProcess.startNanos()
        .ifPresentOrElse(
            start -> millis.put(Phase.JVM, (mainNanos - start) / 1e6),
            () -> millis.put(Phase.JVM, Double.NaN));
    begin = mainNanos;
  }

  /** A phase is over that began where the one before it ended. */
  public void ended(Phase phase) {
    long now = System.nanoTime();
    millis.put(phase, (now - begin) / 1e6);
    begin = now;
  }

  /**
   * What has been noted, and of the last phase how long it took.
   *
   * @param ttftMs time to first token, ms
   */
  public ProcessReport report(double ttftMs) {
    Map<String, Double> phases = new LinkedHashMap<>();
    millis.forEach((phase, ms) -> phases.put(phase.key(), ms));
    phases.put(Phase.PREFILL.key(), ttftMs);
    double sum = phases.values().stream().mapToDouble(Double::doubleValue).sum();
    return new ProcessReport(phases, sum, OwnProcess.peakBytes());
  }
}
