package kv4j.apps.scale;

import static kv4j.apps.report.TextPage.left;
import static kv4j.apps.report.TextPage.right;

import java.util.List;
import java.util.Locale;
import kv4j.apps.report.Format;
import kv4j.apps.report.TextPage;

/**
 * What fleets made of a load.
 *
 * @param trace what the load is, for people
 */
public record ScaleReport(String trace, List<Row> rows) {
  /**
   * One fleet.
   *
   * @param nodes servers
   * @param store whether they share a store
   * @param memoryHitRate as {@link Simulation#memoryHitRate}, and so on
   */
  public record Row(
      int nodes,
      Routing routing,
      boolean store,
      int requests,
      double memoryHitRate,
      double storeHitRate,
      double ttftSecondsMedian,
      double ttftSecondsP95,
      double imbalance,
      double readBytesPerSecond) {
    public static Row of(Simulation run) {
      return new Row(
          run.config().nodes(),
          run.config().routing(),
          run.config().store().isPresent(),
          run.served().size(),
          run.memoryHitRate(),
          run.storeHitRate(),
          run.ttftSeconds().median(),
          run.ttftSeconds().p95(),
          run.imbalance(),
          run.readBytesPerSecond());
    }

    private String routingName() {
      return nodes == 1 ? "-" : routing.name().toLowerCase(Locale.ROOT);
    }
  }

  /** For people. */
  public String text() {
    TextPage page = new TextPage();
    page.paragraph(trace);
    page.table(
        rows,
        List.of(
            right("nodes", row -> Integer.toString(row.nodes())),
            left("routing", Row::routingName),
            left("store", row -> row.store() ? "yes" : "no"),
            right("memory\nhits", row -> Format.percent(row.memoryHitRate())),
            right("store\nhits", row -> Format.percent(row.storeHitRate())),
            right("TTFT s\nmedian", row -> Format.number(row.ttftSecondsMedian())),
            right("\np95", row -> Format.number(row.ttftSecondsP95())),
            right("most\nbusy", row -> Format.times(row.imbalance())),
            right("read\nMB/s", row -> Format.number(row.readBytesPerSecond() / 1e6))));
    page.line(
        "Hits are shares of all prompt tokens. TTFT is simulated: the wait for earlier prompts,"
            + " reading and computing; generating is left out. Most busy is the busiest node beside"
            + " the mean of all. MB/s is what a node reads from others on average.");
    return page.toString();
  }
}
