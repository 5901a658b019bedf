package kv4j.apps.bench;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import kv4j.apps.report.Csv;
import kv4j.apps.report.RunInfo;
import kv4j.apps.workload.Spread;

/**
 * What a scheduler and a server over it were measured at.
 *
 * @param info what ran
 * @param rounds measured of each
 * @param decodes how fast requests generate side by side
 * @param arrival of a short prompt, with nothing else to do and during the prefill of a long one
 * @param first time to first token of a short prompt: of the library and through the server
 * @param identical whether all requests got the tokens that they get alone
 */
public record ServingReport(
    RunInfo info,
    int rounds,
    List<Decode> decodes,
    Arrival arrival,
    First first,
    boolean identical) {
  /**
   * Requests that generate side by side.
   *
   * @param sequences how many, at least 1
   * @param prompt tokens of each prompt
   * @param shared how many of these all have in common, perhaps 0
   * @param tokensPerSecond all requests' tokens while all of them generate
   */
  public record Decode(int sequences, int prompt, int shared, Spread tokensPerSecond) {
    /** Such as {@code 8 after 512}. */
    public String label() {
      return "%d after %d%s"
          .formatted(sequences, prompt, shared > 0 ? ", %d shared".formatted(shared) : "");
    }

    /** Whether this is one of those alone. */
    boolean isAloneOf(Decode other) {
      return sequences == 1 && prompt == other.prompt;
    }
  }

  /**
   * Time to first token of a prompt that comes alone, and of one that comes after the first chunk
   * of a long one, ms.
   */
  public record Arrival(int prompt, Spread idleMs, int longPrompt, Spread busyMs) {}

  /** Time to first token of the same prompts, asked of the library and of the server, ms. */
  public record First(int prompt, Spread libraryMs, Spread serverMs) {}

  /** Tokens per second beside those of one request alone after as many tokens, by the medians. */
  double timesOne(Decode decode) {
    Decode alone = decodes.stream().filter(one -> one.isAloneOf(decode)).findFirst().orElseThrow();
    return decode.tokensPerSecond().median() / alone.tokensPerSecond().median();
  }

  /** A row for each thing measured, in its own unit. */
  public String csv() {
    Csv csv = new Csv("measured", "unit", "min", "median", "p95", "max");
    decodes.forEach(decode -> row(csv, decode.label(), "tokens/s", decode.tokensPerSecond()));
    row(csv, "idle", "ms", arrival.idleMs());
    row(csv, "during a prefill", "ms", arrival.busyMs());
    row(csv, "library", "ms", first.libraryMs());
    row(csv, "server", "ms", first.serverMs());
    return csv.toString();
  }

  private static void row(Csv csv, String measured, String unit, Spread of) {
    csv.row(measured, unit, of.min(), of.median(), of.p95(), of.max());
  }

  /** As a tree for JSON. */
  public Map<String, Object> document() {
    Map<String, Object> document = new LinkedHashMap<>();
    document.put("decodes", decodes);
    document.put("timesOne", decodes.stream().map(this::timesOne).toList());
    document.put("arrival", arrival);
    document.put("first", first);
    document.put("identical", identical);
    document.put("rounds", rounds);
    document.put("machine", BenchReport.machine());
    document.put("model", info.model());
    document.put("backend", info.backend());
    return document;
  }
}
