package kv4j.apps.bench;

import static kv4j.apps.report.Format.number;
import static kv4j.apps.report.TextPage.left;
import static kv4j.apps.report.TextPage.right;

import java.util.ArrayList;
import java.util.List;
import kv4j.apps.report.Format;
import kv4j.apps.report.Page;
import kv4j.apps.report.TextPage;
import kv4j.apps.workload.Spread;

/** Says how long processes took to their first token, for people. */
public final class ColdPrinter {
  private record Row(String name, Spread ms) {}

  private ColdPrinter() {}

  /** A report as text. */
  public static String text(ColdReport report) {
    TextPage page = new TextPage();
    print(report, page);
    return page.toString();
  }

  /** The same on any page. */
  public static void print(ColdReport report, Page page) {
    page.line(report.info().title());
    page.paragraph(
        "%d processes, one after another, each with a prompt of %d tokens"
            .formatted(report.processes(), report.promptTokens()));
    List<Row> rows = new ArrayList<>();
    report.phases().forEach((phase, ms) -> rows.add(new Row(phase.label(), ms)));
    rows.add(new Row("start to first token", report.firstToken()));
    page.table(
        rows,
        List.of(
            left("phase", Row::name),
            right("ms\nmin", row -> number(row.ms().min())),
            right("\nmedian", row -> number(row.ms().median())),
            right("\np95", row -> number(row.ms().p95())),
            right("\nmax", row -> number(row.ms().max()))));
    if (report.peakBytes().min() > 0) {
      page.paragraph(
          "most memory of a process: %s, median; %s at most"
              .formatted(
                  Format.bytes((long) report.peakBytes().median()),
                  Format.bytes((long) report.peakBytes().max())));
    }
  }
}
