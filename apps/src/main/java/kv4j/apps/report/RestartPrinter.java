package kv4j.apps.report;

import static kv4j.apps.report.Format.bytes;
import static kv4j.apps.report.Format.number;
import static kv4j.apps.report.Format.percent;
import static kv4j.apps.report.Format.times;
import static kv4j.apps.report.TextPage.left;
import static kv4j.apps.report.TextPage.right;

import java.util.List;
import java.util.Map;
import kv4j.apps.workload.Restart;
import kv4j.apps.workload.Spread;

/** Says what a store kept over a restart was worth. */
final class RestartPrinter {
  private RestartPrinter() {}

  static void print(Page page, Restart restart) {
    page.line(
        "After a restart, with one prompt in %s, %d others as the first:"
            .formatted(restart.store(), restart.requests()));
    page.table(
        List.of(
            Map.entry("computed", restart.computedTtftMs()),
            Map.entry("read from the store", restart.storedTtftMs())),
        List.of(
            left("prefix", Map.Entry::getKey),
            right("TTFT ms\nmedian", row -> number(spread(row).median())),
            right("\nmin", row -> number(spread(row).min())),
            right("\nmax", row -> number(spread(row).max()))));
    page.line(
        "speedup: %s of %s (%s)"
            .formatted(
                times(restart.speedup()),
                times(restart.ceiling()),
                percent(restart.speedup() / restart.ceiling())));
    page.line(
        "tokens from the store: %s, at %s/s"
            .formatted(
                percent((double) restart.storeTokens() / restart.promptTokens()),
                bytes((long) restart.readBytesPerSecond())));
    page.line("opening the store again: " + number(restart.openMs()) + " ms");
    page.paragraph(
        restart.exact()
            ? "identical tokens: " + (restart.identicalTokens() ? "yes" : "NO")
            : "identical tokens: %s; the store keeps fewer bits, so they need not be"
                .formatted(restart.identicalTokens() ? "yes" : "no"));
  }

  private static Spread spread(Map.Entry<String, Spread> row) {
    return row.getValue();
  }
}
