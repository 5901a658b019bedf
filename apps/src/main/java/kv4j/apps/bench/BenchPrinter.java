package kv4j.apps.bench;

import static kv4j.apps.report.Format.number;
import static kv4j.apps.report.Format.percent;
import static kv4j.apps.report.Format.times;
import static kv4j.apps.report.TextPage.left;
import static kv4j.apps.report.TextPage.right;

import com.github.freva.asciitable.ColumnData;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import kv4j.apps.report.Page;
import kv4j.apps.report.TextPage;
import kv4j.apps.workload.Spread;

/** Says what the benchmark measured, for people. */
public final class BenchPrinter {
  private BenchPrinter() {}

  /** A report as text. */
  public static String text(BenchReport report) {
    TextPage page = new TextPage();
    print(report, page);
    return page.toString();
  }

  /** The same on any page. */
  public static void print(BenchReport report, Page page) {
    page.line(report.info().title());
    page.paragraph(
        "kernels: %s; prefill in chunks of %d tokens; weights: %s"
            .formatted(report.kernels(), report.prefillChunk(), report.weights().text()));
    passes(report, page);
    if (!report.others().isEmpty()) {
      comparisons(report, page);
    }
  }

  private static void passes(BenchReport report, Page page) {
    MachineLimits limits = report.limits();
    page.table(
        List.copyOf(report.times().entrySet()),
        List.of(
            left("new tokens", entry -> entry.getKey().label()),
            right("ms\nmin", entry -> number(entry.getValue().min())),
            right("\nmedian", entry -> number(entry.getValue().median())),
            right("\np95", entry -> number(entry.getValue().p95())),
            right("\nmax", entry -> number(entry.getValue().max())),
            right("machine's\nlimit", entry -> number(report.limit(entry.getKey()))),
            right(
                "median\n/ limit",
                entry -> times(entry.getValue().median() / report.limit(entry.getKey())))));
    page.table(
        List.copyOf(report.times().keySet()),
        List.of(
            left("reached, by the median", Pass::label),
            right("GFLOP/s", pass -> number(report.gigaflops(pass))),
            right("of limit", pass -> percent(report.gigaflops(pass) / limits.gigaflops())),
            right("GB/s of weights", pass -> number(report.gigabytesPerSecond(pass))),
            right(
                "of limit",
                pass -> percent(report.gigabytesPerSecond(pass) / limits.gigabytesPerSecond()))));
    page.paragraph(
        ("limits measured here: %s GFLOP/s in fp32 (by %s), %s GB/s read from memory; a pass takes"
                + " at least the time of its arithmetic or that of reading every weight once,"
                + " whichever is longer (the keys and values it reads are left out)")
            .formatted(
                number(limits.gigaflops()),
                limits.gigaflopsBy(),
                number(limits.gigabytesPerSecond())));
  }

  private static void comparisons(BenchReport report, Page page) {
    List<ColumnData<Pass>> columns = new ArrayList<>();
    columns.add(left("new tokens", Pass::label));
    columns.add(right("median ms\nplan", pass -> number(report.times().get(pass).median())));
    report
        .others()
        .forEach(
            (comparison, other) ->
                columns.add(right("\n" + comparison.label(), pass -> cell(report, other, pass))));
    page.table(List.copyOf(report.times().keySet()), columns);
    if (report.others().containsKey(Comparison.STOCK)) {
      page.paragraph(
          "SameDiff's own session has no past: it runs the new tokens alone, which is less work than"
              + " the plan does where tokens came before.");
    }
  }

  private static String cell(BenchReport report, Map<Pass, Spread> other, Pass pass) {
    if (!other.containsKey(pass)) {
      return "-";
    }
    double median = other.get(pass).median();
    return "%s (%s)".formatted(number(median), times(median / report.times().get(pass).median()));
  }
}
