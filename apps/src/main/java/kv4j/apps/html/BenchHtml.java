package kv4j.apps.html;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import kv4j.apps.bench.BenchPrinter;
import kv4j.apps.bench.BenchReport;
import kv4j.apps.bench.ColdPrinter;
import kv4j.apps.bench.ColdReport;
import kv4j.apps.bench.Pass;
import kv4j.apps.bench.ServingPrinter;
import kv4j.apps.bench.ServingReport;
import kv4j.apps.html.Chart.Kind;
import kv4j.apps.html.Chart.Series;
import kv4j.apps.report.Phase;
import kv4j.apps.workload.Spread;

/** What the benchmark measured, as a page. */
public final class BenchHtml {
  private BenchHtml() {}

  /** Of passes. */
  public static String of(BenchReport report) {
    HtmlPage page = page();
    BenchPrinter.print(report, page);
    List<Pass> passes = List.copyOf(report.times().keySet());
    List<Series> series = new ArrayList<>();
    series.add(new Series("the machine's limit", passes.stream().map(report::limit).toList()));
    series.add(medians("plan", passes, report.times()));
    report
        .others()
        .forEach((comparison, times) -> series.add(medians(comparison.label(), passes, times)));
    List<String> labels = passes.stream().map(Pass::label).toList();
    page.chart(new Chart("Median times", Kind.BARS, "new tokens", "ms", labels, series));
    return page.toString();
  }

  private static Series medians(String name, List<Pass> passes, Map<Pass, Spread> times) {
    return new Series(
        name,
        passes.stream()
            .map(pass -> times.containsKey(pass) ? times.get(pass).median() : Double.NaN)
            .toList());
  }

  /** Of many requests at once. */
  public static String of(ServingReport report) {
    HtmlPage page = page();
    ServingPrinter.print(report, page);
    List<Double> medians =
        report.decodes().stream().map(decode -> decode.tokensPerSecond().median()).toList();
    page.chart(
        new Chart(
            "Tokens of all requests together",
            Kind.BARS,
            "requests generating",
            "tokens/s",
            report.decodes().stream().map(ServingReport.Decode::label).toList(),
            List.of(new Series("median", medians))));
    return page.toString();
  }

  /** Of processes. */
  public static String of(ColdReport report) {
    HtmlPage page = page();
    ColdPrinter.print(report, page);
    List<String> labels = report.phases().keySet().stream().map(Phase::label).toList();
    Series medians =
        new Series("median", report.phases().values().stream().map(Spread::median).toList());
    page.chart(
        new Chart(
            "From a process's start to its first token",
            Kind.BARS,
            "phase",
            "ms",
            labels,
            List.of(medians)));
    return page.toString();
  }

  private static HtmlPage page() {
    HtmlPage page = new HtmlPage("kv4j bench");
    page.line(HtmlPage.machine());
    return page;
  }
}
