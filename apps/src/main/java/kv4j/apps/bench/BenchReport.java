package kv4j.apps.bench;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.Function;
import kv4j.apps.report.Csv;
import kv4j.apps.report.RunInfo;
import kv4j.apps.workload.Spread;
import kv4j.model.TransformerConfig;

/**
 * What the benchmark measured.
 *
 * @param info what ran
 * @param shape of the model
 * @param weights that every pass reads
 * @param kernels which form of the kernels
 * @param prefillChunk most new tokens in one pass of the engine
 * @param limits of the machine
 * @param times of the engine's passes, ms
 * @param others the same of what it is compared to; of some passes perhaps
 */
public record BenchReport(
    RunInfo info,
    TransformerConfig shape,
    ReadWeights weights,
    String kernels,
    int prefillChunk,
    MachineLimits limits,
    Map<Pass, Spread> times,
    Map<Comparison, Map<Pass, Spread>> others) {

  /** The passes that every benchmark times: around 512 tokens. */
  public static final List<Pass> SHORT = Pass.around(512);

  private static final String LONG = "longContext";

  /** How many times as long something takes, by the least and by the median time. */
  private record Ratio(double min, double median) {
    static Ratio of(Spread other, Spread ours) {
      return new Ratio(other.min() / ours.min(), other.median() / ours.median());
    }
  }

  /** The least a pass can take on this machine, ms. */
  public double limit(Pass pass) {
    return limits.millis(shape, weights, pass);
  }

  /** Operations that a pass did per nanosecond, by its median time. */
  public double gigaflops(Pass pass) {
    return Flops.pass(shape, pass.before(), pass.rows()) / (times.get(pass).median() * 1e6);
  }

  /** 10⁹ bytes of weights that a pass read a second, by its median time. */
  public double gigabytesPerSecond(Pass pass) {
    return weights.total() / (times.get(pass).median() * 1e6);
  }

  /**
   * As a tree for JSON. Figures of passes are named after them; those of passes at a long context
   * are nested in an object of their own.
   */
  public Map<String, Object> document() {
    Map<String, Object> document = byPass(times.keySet(), times::get);
    document.put("limitMs", byPass(times.keySet(), this::limit));
    document.put(
        "overLimit", byPass(times.keySet(), pass -> times.get(pass).median() / limit(pass)));
    document.put("gigaflops", byPass(times.keySet(), this::gigaflops));
    document.put("gigabytesPerSecond", byPass(times.keySet(), this::gigabytesPerSecond));
    document.put("weightBytes", weights.bytes());
    Map<String, Object> comparisons = new LinkedHashMap<>();
    others.forEach(
        (comparison, other) ->
            comparisons.put(comparison.name().toLowerCase(Locale.ROOT), comparison(other)));
    document.put("comparisons", comparisons);
    Map<String, Object> machine = machine();
    machine.put("limits", limits);
    document.put("machine", machine);
    document.put("model", info.model());
    document.put("shape", shape);
    document.put("backend", info.backend());
    document.put("kernels", kernels);
    document.put("prefillChunk", prefillChunk);
    return document;
  }

  /** A row for each pass. */
  public String csv() {
    Csv csv =
        new Csv("new_tokens", "before", "min_ms", "median_ms", "p95_ms", "max_ms", "limit_ms");
    times.forEach(
        (pass, ms) ->
            csv.row(
                pass.rows(),
                pass.before(),
                ms.min(),
                ms.median(),
                ms.p95(),
                ms.max(),
                limit(pass)));
    return csv.toString();
  }

  private Map<String, Object> comparison(Map<Pass, Spread> other) {
    Map<String, Object> comparison = byPass(other.keySet(), other::get);
    comparison.put(
        "ratio", byPass(other.keySet(), pass -> Ratio.of(other.get(pass), times.get(pass))));
    return comparison;
  }

  /** This machine, without what is measured of it. */
  static Map<String, Object> machine() {
    Map<String, Object> machine = new LinkedHashMap<>();
    machine.put("processors", Runtime.getRuntime().availableProcessors());
    machine.put("os", System.getProperty("os.name"));
    machine.put("arch", System.getProperty("os.arch"));
    machine.put("java", System.getProperty("java.version"));
    return machine;
  }

  private static Map<String, Object> byPass(Collection<Pass> passes, Function<Pass, Object> of) {
    Map<String, Object> top = new LinkedHashMap<>();
    Map<String, Object> nested = new LinkedHashMap<>();
    for (Pass pass : passes) {
      (SHORT.contains(pass) ? top : nested).put(pass.name(), of.apply(pass));
    }
    if (!nested.isEmpty()) {
      top.put(LONG, nested);
    }
    return top;
  }

  /**
   * Reads the engine's times back from a document.
   *
   * @throws IllegalArgumentException if one of the passes is not in it
   */
  static Map<Pass, Spread> readTimes(JsonNode document, Collection<Pass> passes) {
    Map<Pass, Spread> times = new LinkedHashMap<>();
    for (Pass pass : passes) {
      JsonNode group = SHORT.contains(pass) ? document : document.path(LONG);
      times.put(pass, new ObjectMapper().convertValue(group.required(pass.name()), Spread.class));
    }
    return times;
  }
}
