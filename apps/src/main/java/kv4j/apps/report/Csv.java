package kv4j.apps.report;

import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import kv4j.apps.workload.Reply;
import kv4j.apps.workload.RequestRow;
import kv4j.apps.workload.WorkloadReport;
import org.apache.commons.text.StringEscapeUtils;

/** Rows of values between commas, as RFC 4180 has them, for spreadsheets. */
public final class Csv {
  private final StringBuilder text = new StringBuilder();

  /** Begins with names of columns. */
  public Csv(String... columns) {
    row((Object[]) columns);
  }

  /** Adds a row; numbers are in full precision, and what is not known is left empty. */
  public void row(Object... values) {
    text.append(Stream.of(values).map(Csv::cell).collect(Collectors.joining(","))).append("\r\n");
  }

  private static String cell(Object value) {
    boolean unknown = value instanceof Double number && !Double.isFinite(number);
    return unknown ? "" : StringEscapeUtils.escapeCsv(value.toString());
  }

  /** A workload's requests. */
  public static String requests(WorkloadReport report) {
    Csv csv =
        new Csv(
            "request",
            "group",
            "prompt_tokens",
            "cached_tokens",
            "reason",
            "ttft_ms",
            "uncached_ttft_ms",
            "ceiling_ttft_ms",
            "latency_ms",
            "uncached_latency_ms",
            "generated_tokens",
            "answer",
            "right",
            "uncached_right");
    List<RequestRow> rows = report.requests();
    for (int i = 0; i < rows.size(); i++) {
      RequestRow row = rows.get(i);
      csv.row(
          i + 1,
          row.group(),
          row.promptTokens(),
          row.cachedTokens(),
          row.reason(),
          row.ttftMs(),
          row.uncachedTtftMs(),
          row.ceilingTtftMs(),
          row.latencyMs(),
          row.uncachedLatencyMs(),
          row.generated().size(),
          row.reply().map(Reply::cached).orElse(""),
          row.reply().map(reply -> Boolean.toString(reply.isRight())).orElse(""),
          row.reply().map(reply -> Boolean.toString(reply.isUncachedRight())).orElse(""));
    }
    return csv.toString();
  }

  @Override
  public String toString() {
    return text.toString();
  }
}
