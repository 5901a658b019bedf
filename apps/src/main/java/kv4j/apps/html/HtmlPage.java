package kv4j.apps.html;

import com.github.freva.asciitable.ColumnData;
import com.github.freva.asciitable.HorizontalAlign;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.time.ZonedDateTime;
import java.time.format.DateTimeFormatter;
import java.util.List;
import kv4j.apps.cli.Version;
import kv4j.apps.report.Page;

/** A page in one file. It runs no script, loads nothing, and prints well. */
public final class HtmlPage implements Page {
  private static final String POLICY = "default-src 'none'; style-src 'unsafe-inline'";

  private final Markup out = new Markup();

  /** A page with a title. */
  public HtmlPage(String title) {
    out.open("html", "lang", "en");
    out.open("head");
    empty("meta", "charset", "UTF-8");
    empty("meta", "http-equiv", "Content-Security-Policy", "content", POLICY);
    empty("meta", "name", "viewport", "content", "width=device-width, initial-scale=1");
    out.element("title", title);
    out.element("style", style());
    out.close();
    out.open("body");
    out.open("main");
    out.element("h1", title);
  }

  /** What measured, and when, in one line. */
  static String machine() {
    return "%s, %d processors; %s"
        .formatted(
            Version.text(),
            Runtime.getRuntime().availableProcessors(),
            ZonedDateTime.now().format(DateTimeFormatter.RFC_1123_DATE_TIME));
  }

  private static String style() {
    try (InputStream in = HtmlPage.class.getResourceAsStream("page.css")) {
      return new String(in.readAllBytes(), StandardCharsets.UTF_8);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private void empty(String element, Object... attributes) {
    out.open(element, attributes);
    out.close();
  }

  /** Adds a heading. */
  public void heading(String text) {
    out.element("h2", text);
  }

  @Override
  public void line(String line) {
    out.element("p", line);
  }

  @Override
  public void paragraph(String paragraph) {
    if (!paragraph.isEmpty()) {
      line(paragraph);
    }
  }

  @Override
  public <T> void table(List<T> rows, List<ColumnData<T>> columns) {
    out.open("div", "class", "table");
    out.open("table");
    out.open("thead");
    out.open("tr");
    for (ColumnData<T> column : columns) {
      out.element("th", column.getHeader().replace('\n', ' ').strip(), "scope", "col");
    }
    out.close();
    out.close();
    out.open("tbody");
    for (T row : rows) {
      out.open("tr");
      for (ColumnData<T> column : columns) {
        boolean right = column.getDataAlign() == HorizontalAlign.RIGHT;
        out.element("td", column.getCellValue(row), "class", right ? "figure" : "words");
      }
      out.close();
    }
    out.close();
    out.close();
    out.close();
  }

  /** Adds a chart. */
  public void chart(Chart chart) {
    SvgChart.draw(chart, out);
  }

  /** Adds a request's tokens. */
  public void strip(TokenStrip strip) {
    out.open("figure", "class", "strip");
    out.element("figcaption", strip.title());
    out.open("p");
    tokens("cached", strip.cached());
    tokens("computed", strip.computed());
    tokens("generated", strip.generated());
    out.close();
    out.close();
  }

  /** Each by itself, so that no writing direction in one reaches another. */
  private void tokens(String kind, List<String> tokens) {
    if (!tokens.isEmpty()) {
      out.open("span", "class", kind, "title", "%s, %d tokens".formatted(kind, tokens.size()));
      tokens.forEach(token -> out.element("bdi", token));
      out.close();
    }
  }

  /** The file's text. */
  @Override
  public String toString() {
    out.close();
    out.close();
    out.close();
    return out.toString();
  }
}
