package kv4j.apps.report;

import static kv4j.apps.report.Format.bytes;
import static kv4j.apps.report.Format.number;
import static kv4j.apps.report.Format.percent;
import static kv4j.apps.report.Format.scientific;
import static kv4j.apps.report.Format.times;
import static kv4j.apps.report.TextPage.left;
import static kv4j.apps.report.TextPage.right;

import com.github.freva.asciitable.ColumnData;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.stream.IntStream;
import kv4j.apps.cli.Terminal;
import kv4j.apps.workload.Answers;
import kv4j.apps.workload.CacheRow;
import kv4j.apps.workload.GroupRow;
import kv4j.apps.workload.Rounding;
import kv4j.apps.workload.Speedup;
import kv4j.apps.workload.WorkloadReport;

/** Says what a run measured, in tables of at most {@value Terminal#COLUMNS} columns. */
public final class ReportPrinter {
  private static final String LEGEND =
      "TTFT is the time to first token. The engine ceiling is what this engine would reach if the"
          + " cache cost nothing, the work ceiling what arithmetic alone allows. Prompts that share"
          + " a beginning and then go on differently have diverged, which is as it should be.";

  private static final String ANSWERS =
      " An answer is right if it is the expected sentence, letter by letter.";

  private final RunInfo info;
  private final WorkloadReport report;
  private final boolean everyLayer;
  private final Page page;

  private ReportPrinter(RunInfo info, WorkloadReport report, boolean everyLayer, Page page) {
    this.info = info;
    this.report = report;
    this.everyLayer = everyLayer;
    this.page = page;
  }

  /**
   * A report as text.
   *
   * @param everyLayer whether each layer gets a row, or all of them together a line or two
   */
  public static String text(RunInfo info, WorkloadReport report, boolean everyLayer) {
    TextPage page = new TextPage();
    print(info, report, everyLayer, page);
    return page.toString();
  }

  /** The same on any page. */
  public static void print(RunInfo info, WorkloadReport report, boolean everyLayer, Page page) {
    new ReportPrinter(info, report, everyLayer, page).print();
  }

  private void print() {
    page.line(info.title());
    page.paragraph(info.prompts().map(format -> "prompts in " + format).orElse(""));
    timings();
    hits();
    if (report.groups().size() > 1) {
      groups();
    }
    speedups();
    summary();
    report.concurrent().ifPresent(concurrent -> ConcurrentPrinter.print(page, concurrent));
    report.restart().ifPresent(restart -> RestartPrinter.print(page, restart));
    if (!report.missReasons().isEmpty()) {
      missReasons();
    }
    layers();
    page.paragraph(report.cached().answers().asked() > 0 ? LEGEND + ANSWERS : LEGEND);
  }

  private void timings() {
    List<ColumnData<CacheRow>> columns =
        new ArrayList<>(
            List.of(
                left("cache", ReportPrinter::shortName),
                right("TTFT ms\nmedian", row -> number(row.ttftMs().median())),
                right("\np95", row -> number(row.ttftMs().p95())),
                right("latency ms\nmedian", row -> number(row.latencyMs().median())),
                right("\np95", row -> number(row.latencyMs().p95())),
                right("prompt\ntok/s", row -> number(row.promptTokensPerSecond())),
                right("output\ntok/s", row -> number(row.outputTokensPerSecond()))));
    if (report.cached().answers().asked() > 0) {
      columns.add(right("right\nanswers", row -> answers(row.answers())));
    }
    page.table(report.rows(), columns);
    CacheRow first = report.rows().get(0);
    if (first.requests() < report.cached().requests()) {
      page.paragraph(
          "%s ran %d of the %d requests, with %d new tokens: it recomputes everything for each token."
              .formatted(
                  first.cache(), first.requests(), report.cached().requests(), first.newTokens()));
    }
  }

  /** A cache's name without the settings that may follow it, which are told elsewhere. */
  private static String shortName(CacheRow row) {
    return row.cache().replaceFirst(":.*", "");
  }

  private static String answers(Answers answers) {
    return answers.asked() == 0 ? "-" : answers.toString();
  }

  private void hits() {
    page.table(
        report.rows(),
        List.of(
            left("cache", ReportPrinter::shortName),
            right("requests", row -> Integer.toString(row.requests())),
            right("most new\ntokens", row -> Integer.toString(row.newTokens())),
            right("token\nhit rate", row -> percent(row.tokenHitRate())),
            right("request\nhit rate", row -> percent(row.requestHitRate())),
            right("layer\nhit rate", row -> percent(row.layerHitRate())),
            right("kept between\nrequests", row -> bytes(row.cacheBytes()))));
  }

  private void groups() {
    List<GroupRow> rows = new ArrayList<>(report.groups());
    rows.add(total());
    page.table(
        rows,
        List.of(
            left("agent", GroupRow::group),
            right("requests", row -> Integer.toString(row.requests())),
            right("prompt\ntokens", row -> number(row.promptTokens())),
            right("token\nhits", row -> percent(row.tokenHitRate())),
            right("TTFT\nms", row -> number(row.ttftMs().median())),
            right("without\ncache", row -> number(row.uncachedTtftMs().median())),
            right("TTFT\nspeedup", row -> times(row.ttftSpeedup())),
            right("s\nsaved", row -> number(row.secondsSaved()))));
  }

  private GroupRow total() {
    List<GroupRow> groups = report.groups();
    CacheRow uncached = report.uncached();
    return new GroupRow(
        "total",
        groups.stream().mapToInt(GroupRow::requests).sum(),
        groups.stream().mapToLong(GroupRow::promptTokens).sum(),
        groups.stream().mapToLong(GroupRow::cachedTokens).sum(),
        report.cached().ttftMs(),
        uncached.ttftMs(),
        report.speedup().ttft(),
        report.secondsSaved());
  }

  private record Measure(String name, double measured, double ceiling, double workCeiling) {}

  private void speedups() {
    if (report.cached().requests() < 2) {
      page.paragraph(
          "No speedup: the only request was cold, and what a cache buys shows from the second on.");
      return;
    }
    page.line("Speedup of " + report.cached().cache() + " over request, beside its two ceilings:");
    page.table(
        List.of(
            measure("TTFT", Speedup::ttft),
            measure("latency", Speedup::latency),
            measure("prompt tokens/s", Speedup::throughput)),
        List.of(
            left("", Measure::name),
            right("measured", m -> times(m.measured())),
            right("engine\nceiling", m -> times(m.ceiling())),
            right("reached", m -> percent(m.measured() / m.ceiling())),
            right("work\nceiling", m -> times(m.workCeiling())),
            right("reached", m -> percent(m.measured() / m.workCeiling()))));
  }

  private Measure measure(String name, Function<Speedup, Double> of) {
    return new Measure(
        name,
        of.apply(report.speedup()),
        of.apply(report.ceiling()),
        of.apply(report.workCeiling()));
  }

  private void summary() {
    String expected = percent(report.expectedTokenHitRate());
    page.line(
        "token hit rate: " + percent(report.cached().tokenHitRate()) + ", expected " + expected);
    if (report.cached().requests() > 1) {
      page.line("time saved: " + number(report.secondsSaved()) + " s");
    }
    page.line("identical tokens: " + (report.identicalTokens() ? "yes" : "NO"));
    page.paragraph(
        "largest logit difference: "
            + scientific(report.maxLogitDifference())
            + ", at most "
            + scientific(report.logitTolerance())
            + " allowed");
    report.rounding().ifPresent(this::rounding);
    report.spoiled().forEach(spoiled -> page.paragraph(spoiled.toString()));
    if (!report.faults().isEmpty()) {
      page.paragraph("WRONG ANSWERS: " + String.join("; ", report.faults()));
    }
  }

  private void rounding(Rounding rounding) {
    page.paragraph(
        "keys and values in %s: %d bytes a token instead of %d; against f32, %s of the tokens unchanged and logits up to %s apart"
            .formatted(
                rounding.dtype(),
                rounding.bytesPerToken(),
                rounding.f32BytesPerToken(),
                percent(rounding.unchangedTokens()),
                scientific(rounding.maxLogitDifference())));
  }

  private void missReasons() {
    page.table(
        List.copyOf(report.missReasons().entrySet()),
        List.of(
            left("why no more was cached", Map.Entry::getKey),
            right("requests", entry -> Integer.toString(entry.getValue()))));
  }

  private void layers() {
    List<Long> hits = report.layerHits();
    List<Long> lookups = report.layerLookups();
    if (everyLayer) {
      page.table(
          IntStream.range(0, hits.size()).boxed().toList(),
          List.of(
              right("layer", layer -> Integer.toString(layer)),
              right("requests", layer -> Long.toString(lookups.get(layer))),
              right("from the cache", layer -> Long.toString(hits.get(layer))),
              right("hit rate", layer -> percent((double) hits.get(layer) / lookups.get(layer)))));
      return;
    }
    List<String> runs = new ArrayList<>();
    for (int from = 0, to; from < hits.size(); from = to) {
      to = from + 1;
      while (to < hits.size()
          && hits.get(to).equals(hits.get(from))
          && lookups.get(to).equals(lookups.get(from))) {
        to++;
      }
      String layers = to == from + 1 ? Integer.toString(from) : from + "-" + (to - 1);
      runs.add("%s: %d of %d".formatted(layers, hits.get(from), lookups.get(from)));
    }
    page.paragraph("layers answered from the cache, requests: " + String.join("; ", runs));
  }
}
