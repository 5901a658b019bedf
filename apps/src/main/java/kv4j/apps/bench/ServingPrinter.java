package kv4j.apps.bench;

import static kv4j.apps.report.Format.number;
import static kv4j.apps.report.Format.times;
import static kv4j.apps.report.TextPage.left;
import static kv4j.apps.report.TextPage.right;

import java.util.List;
import kv4j.apps.report.Page;
import kv4j.apps.report.TextPage;
import kv4j.apps.workload.Spread;

/** Says what a scheduler and a server were measured at, for people. */
public final class ServingPrinter {
  private record Row(String name, Spread ms, double ratio) {}

  private ServingPrinter() {}

  /** A report as text. */
  public static String text(ServingReport report) {
    TextPage page = new TextPage();
    print(report, page);
    return page.toString();
  }

  /** The same on any page. */
  public static void print(ServingReport report, Page page) {
    page.line(report.info().title());
    page.paragraph(
        "%d rounds of each; tokens identical to those of requests alone: %s"
            .formatted(report.rounds(), report.identical() ? "yes" : "NO"));
    page.table(
        report.decodes(),
        List.of(
            left("requests generating", ServingReport.Decode::label),
            right("tokens/s\nmin", decode -> number(decode.tokensPerSecond().min())),
            right("\nmedian", decode -> number(decode.tokensPerSecond().median())),
            right("\nmax", decode -> number(decode.tokensPerSecond().max())),
            right("one\nalone", decode -> times(report.timesOne(decode)))));
    ServingReport.Arrival arrival = report.arrival();
    ServingReport.First first = report.first();
    page.table(
        List.of(
            row("%d tokens, idle".formatted(arrival.prompt()), arrival.idleMs(), arrival.idleMs()),
            row(
                "%d tokens, during a prefill of %d"
                    .formatted(arrival.prompt(), arrival.longPrompt()),
                arrival.busyMs(),
                arrival.idleMs()),
            row(
                "%d tokens, library".formatted(first.prompt()),
                first.libraryMs(),
                first.libraryMs()),
            row(
                "%d tokens, through the server".formatted(first.prompt()),
                first.serverMs(),
                first.libraryMs())),
        List.of(
            left("time to first token", Row::name),
            right("ms\nmin", row -> number(row.ms().min())),
            right("\nmedian", row -> number(row.ms().median())),
            right("\np95", row -> number(row.ms().p95())),
            right("\nmax", row -> number(row.ms().max())),
            right("by\nmedian", row -> times(row.ratio()))));
  }

  private static Row row(String name, Spread ms, Spread other) {
    return new Row(name, ms, ms.median() / other.median());
  }
}
