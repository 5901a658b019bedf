package kv4j.apps.report;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * How a process came to its first token, as JSON has it.
 *
 * @param phasesMs how long each {@link Phase} took, ms, by its key; NaN where the system does not
 *     tell when the process started
 * @param firstTokenMs from the start of the process to its first token
 * @param peakBytes the most memory the process has had, or 0 where the system does not tell
 */
public record ProcessReport(Map<String, Double> phasesMs, double firstTokenMs, long peakBytes) {
  public ProcessReport {
    phasesMs = Collections.unmodifiableMap(new LinkedHashMap<>(phasesMs)); // in its order
  }

  /** In one line for people. */
  public String summary() {
    String phases =
        Stream.of(Phase.values())
            .map(phase -> phase.label() + " " + Format.number(phasesMs.get(phase.key())))
            .collect(Collectors.joining(", "));
    return "ms from the start of the process: %s; first token after %s; peak memory %s"
        .formatted(
            phases,
            Format.number(firstTokenMs),
            peakBytes > 0 ? Format.bytes(peakBytes) : "not known");
  }
}
