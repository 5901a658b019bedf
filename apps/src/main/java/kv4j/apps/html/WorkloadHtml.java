package kv4j.apps.html;

import static kv4j.apps.report.Format.number;
import static kv4j.apps.report.Format.percent;
import static kv4j.apps.report.TextPage.left;
import static kv4j.apps.report.TextPage.right;

import com.github.freva.asciitable.ColumnData;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.TreeSet;
import java.util.function.ToDoubleFunction;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import kv4j.apps.html.Chart.Kind;
import kv4j.apps.html.Chart.Series;
import kv4j.apps.report.ReportPrinter;
import kv4j.apps.report.RunInfo;
import kv4j.apps.workload.Reply;
import kv4j.apps.workload.RequestRow;
import kv4j.apps.workload.Speedup;
import kv4j.apps.workload.Workload;
import kv4j.apps.workload.WorkloadReport;
import kv4j.model.Tokenizer;

/** What running a workload measured, as a page. */
public final class WorkloadHtml {
  private static final String LATENCY = "seconds";

  /** Of longer tokens, the beginning is shown. */
  private static final int MOST_CHARACTERS = 40;

  private final WorkloadReport report;
  private final Workload workload;
  private final Tokenizer tokenizer;
  private final HtmlPage page;

  private WorkloadHtml(
      String title, WorkloadReport report, Workload workload, Tokenizer tokenizer) {
    this.report = report;
    this.workload = workload;
    this.tokenizer = tokenizer;
    page = new HtmlPage(title);
  }

  /**
   * The page.
   *
   * @param workload that was run
   * @param tokenizer of its tokens
   * @param everyLayer whether each layer gets a row
   */
  public static String of(
      RunInfo info,
      WorkloadReport report,
      Workload workload,
      Tokenizer tokenizer,
      boolean everyLayer) {
    String title = "kv4j: " + workload.name();
    return new WorkloadHtml(title, report, workload, tokenizer).text(info, everyLayer);
  }

  private String text(RunInfo info, boolean everyLayer) {
    page.line(HtmlPage.machine());
    ReportPrinter.print(info, report, everyLayer, page);
    page.heading("Request by request");
    charts();
    if (report.cached().requests() > 1) {
      ceilings();
    }
    page.heading("Tokens of some requests");
    page.line("Green: cached. Orange: computed. Blue: generated.");
    chosen().forEach(request -> page.strip(strip(request)));
    page.heading("All requests");
    requests();
    return page.toString();
  }

  private void charts() {
    String cached = report.cached().cache();
    chart(
        "Time to first token",
        Kind.BARS,
        "ms",
        series("without a prefix cache", RequestRow::uncachedTtftMs),
        series("with " + cached, RequestRow::ttftMs),
        series("if the cache cost nothing", RequestRow::ceilingTtftMs));
    chart(
        "Time of all requests so far",
        Kind.LINES,
        LATENCY,
        sums("without a prefix cache", RequestRow::uncachedLatencyMs),
        sums("with " + cached, RequestRow::latencyMs));
    chart(
        "Prompt tokens that were cached",
        Kind.BARS,
        "%",
        series("with " + cached, row -> 100 * row.tokenHitRate()));
  }

  private void chart(String title, Kind kind, String unit, Series... series) {
    List<String> labels =
        IntStream.rangeClosed(1, report.requests().size()).mapToObj(Integer::toString).toList();
    page.chart(new Chart(title, kind, "request", unit, labels, List.of(series)));
  }

  private Series series(String name, ToDoubleFunction<RequestRow> value) {
    return new Series(name, report.requests().stream().mapToDouble(value).boxed().toList());
  }

  private Series sums(String name, ToDoubleFunction<RequestRow> millis) {
    double[] sums = report.requests().stream().mapToDouble(millis).toArray();
    Arrays.parallelPrefix(sums, Double::sum);
    return new Series(name, Arrays.stream(sums).map(ms -> ms / 1000).boxed().toList());
  }

  private void ceilings() {
    List<ToDoubleFunction<Speedup>> measures = List.of(Speedup::ttft, Speedup::latency);
    Stream.Builder<Series> series = Stream.builder();
    series.add(speedups("measured", report.speedup(), measures));
    series.add(speedups("engine ceiling", report.ceiling(), measures));
    series.add(speedups("work ceiling", report.workCeiling(), measures));
    page.chart(
        new Chart(
            "Speedup beside its ceilings",
            Kind.BARS,
            "of",
            "times",
            List.of("TTFT", "latency"),
            series.build().toList()));
  }

  private static Series speedups(
      String name, Speedup speedup, List<ToDoubleFunction<Speedup>> measures) {
    return new Series(
        name, measures.stream().map(measure -> measure.applyAsDouble(speedup)).toList());
  }

  /** The first request, the last, and of the others those with most and with least cached. */
  private TreeSet<Integer> chosen() {
    int last = report.requests().size() - 1;
    Comparator<Integer> byHits =
        Comparator.comparing(request -> report.requests().get(request).tokenHitRate());
    TreeSet<Integer> chosen = new TreeSet<>(List.of(0, last));
    List<Integer> warm = IntStream.rangeClosed(1, last).boxed().sorted(byHits).toList();
    if (!warm.isEmpty()) {
      chosen.addAll(List.of(warm.get(0), warm.get(warm.size() - 1)));
    }
    return chosen;
  }

  private TokenStrip strip(int request) {
    RequestRow row = report.requests().get(request);
    List<String> prompt =
        Arrays.stream(workload.requests().get(request).prompt()).mapToObj(this::text).toList();
    return new TokenStrip(
        "request %d, %s: %d of %d prompt tokens cached (%s)"
            .formatted(
                request + 1, row.group(), row.cachedTokens(), row.promptTokens(), row.reason()),
        prompt.subList(0, row.cachedTokens()),
        prompt.subList(row.cachedTokens(), prompt.size()),
        row.generated().stream().map(this::text).toList());
  }

  /** What is no text by itself, such as half of a character, becomes U+FFFD. */
  private String text(int token) {
    if (token >= tokenizer.vocabulary()) {
      return "";
    }
    String text = new String(tokenizer.bytes(token), StandardCharsets.UTF_8);
    return text.length() <= MOST_CHARACTERS ? text : text.substring(0, MOST_CHARACTERS) + "…";
  }

  private void requests() {
    List<RequestRow> rows = report.requests();
    List<ColumnData<Integer>> columns =
        new ArrayList<>(
            List.of(
                right("request", i -> Integer.toString(i + 1)),
                left("of", i -> rows.get(i).group()),
                right("prompt\ntokens", i -> Integer.toString(rows.get(i).promptTokens())),
                right("cached", i -> Integer.toString(rows.get(i).cachedTokens())),
                right("hit rate", i -> percent(rows.get(i).tokenHitRate())),
                left("why no more", i -> rows.get(i).reason()),
                right("TTFT ms", i -> number(rows.get(i).ttftMs())),
                right("without", i -> number(rows.get(i).uncachedTtftMs())),
                right("latency ms", i -> number(rows.get(i).latencyMs())),
                right("without", i -> number(rows.get(i).uncachedLatencyMs()))));
    if (report.cached().answers().asked() > 0) {
      columns.add(left("answer", i -> rows.get(i).reply().map(Reply::cached).orElse("")));
      columns.add(left("right", i -> rows.get(i).reply().map(WorkloadHtml::verdict).orElse("")));
    }
    page.table(IntStream.range(0, rows.size()).boxed().toList(), columns);
  }

  private static String verdict(Reply reply) {
    return reply.isRight() ? "yes" : "no: " + reply.expected();
  }
}
