package kv4j.apps.html;

import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;
import kv4j.apps.html.Chart.Kind;
import kv4j.apps.html.Chart.Series;

/** Draws a chart. Colours are the page's: series number i is of class {@code s}i. */
final class SvgChart {
  private static final int WIDTH = 760;
  private static final int HEIGHT = 280;
  private static final int LEFT = 64;
  private static final int RIGHT = 12;
  private static final int TOP = 12;
  private static final int BOTTOM = 44;
  private static final int TICKS = 4;
  private static final int MOST_LABELS = 12;

  /** Of the room that a place along the x axis has, what its bars take. */
  private static final double BARS = 0.8;

  private final Chart chart;
  private final Markup out;
  private final double top; // the value at the upper end

  private SvgChart(Chart chart, Markup out) {
    this.chart = chart;
    this.out = out;
    top = niceAbove(chart.largest());
  }

  static void draw(Chart chart, Markup out) {
    new SvgChart(chart, out).draw();
  }

  /** The least of 1 to 6 and 8 times a power of ten that is not below a value. */
  static double niceAbove(double value) {
    if (value <= 0) {
      return 1;
    }
    double power = Math.pow(10, Math.floor(Math.log10(value)));
    for (double factor : new double[] {1, 2, 3, 4, 5, 6, 8}) {
      if (value <= factor * power) {
        return factor * power;
      }
    }
    return 10 * power;
  }

  private void draw() {
    out.open("figure", "class", "chart");
    out.element("figcaption", chart.title());
    legend();
    out.open("svg", "viewBox", "0 0 %d %d".formatted(WIDTH, HEIGHT), "role", "img");
    out.element("title", chart.title());
    axes();
    for (int i = 0; i < chart.series().size(); i++) {
      if (chart.kind() == Kind.BARS) {
        bars(i);
      } else {
        line(i);
      }
    }
    out.close();
    out.close();
  }

  private void legend() {
    out.open("p", "class", "legend");
    for (int i = 0; i < chart.series().size(); i++) {
      out.element("span", "", "class", "key s" + i);
      out.text(" " + chart.series().get(i).name() + " ");
    }
    out.close();
  }

  private void axes() {
    for (int tick = 0; tick <= TICKS; tick++) {
      double value = top * tick / TICKS;
      String y = number(y(value));
      out.open("line", "class", "grid", "x1", LEFT, "x2", WIDTH - RIGHT, "y1", y, "y2", y);
      out.close();
      String label = "%s".formatted(value == Math.rint(value) ? (Object) (long) value : value);
      out.element("text", label, "x", LEFT - 6, "y", y, "class", "end");
    }
    int every = (chart.labels().size() + MOST_LABELS - 1) / MOST_LABELS;
    for (int i = 0; i < chart.labels().size(); i += every) {
      String x = number(x(i, 0.5));
      out.element("text", chart.labels().get(i), "x", x, "y", HEIGHT - 26, "class", "middle");
    }
    int middle = (LEFT + WIDTH - RIGHT) / 2;
    out.element("text", chart.x(), "x", middle, "y", HEIGHT - 8, "class", "middle");
    int center = (TOP + HEIGHT - BOTTOM) / 2;
    String turned = "rotate(-90 12 %d)".formatted(center);
    out.element("text", chart.y(), "x", 12, "y", center, "class", "middle", "transform", turned);
  }

  private void bars(int number) {
    Series series = chart.series().get(number);
    double share = BARS / chart.series().size();
    for (int i = 0; i < series.values().size(); i++) {
      double value = series.values().get(i);
      if (Double.isFinite(value)) {
        double from = x(i, (1 - BARS) / 2 + number * share);
        double width = x(i, (1 - BARS) / 2 + (number + 1) * share) - from;
        double y = y(Math.max(value, 0));
        point(
            series,
            i,
            "rect",
            number,
            "x",
            number(from),
            "width",
            number(width),
            "y",
            number(y),
            "height",
            number(y(0) - y));
      }
    }
  }

  private void line(int number) {
    Series series = chart.series().get(number);
    StringBuilder points = new StringBuilder();
    for (int i = 0; i < series.values().size(); i++) {
      if (Double.isFinite(series.values().get(i))) {
        points.append("%s,%s ".formatted(number(x(i, 0.5)), number(y(series.values().get(i)))));
      }
    }
    out.open("polyline", "class", "s" + number, "points", points);
    out.close();
    for (int i = 0; i < series.values().size(); i++) {
      double value = series.values().get(i);
      if (Double.isFinite(value)) {
        point(
            series, i, "circle", number, "cx", number(x(i, 0.5)), "cy", number(y(value)), "r", "3");
      }
    }
  }

  /** One value, with what it is for those who point at it, and in full precision. */
  private void point(Series series, int i, String element, int number, Object... place) {
    double value = series.values().get(i);
    out.open(element, concat(List.of("class", "s" + number, "data-value", value), place));
    out.element(
        "title",
        "%s, %s %s: %s %s"
            .formatted(series.name(), chart.x(), chart.labels().get(i), value, chart.y()));
    out.close();
  }

  private static Object[] concat(List<Object> first, Object... then) {
    return Stream.concat(first.stream(), Stream.of(then)).toArray();
  }

  /** Where a share of the room for place {@code i} ends. */
  private double x(int i, double share) {
    return LEFT + (WIDTH - LEFT - RIGHT) * (i + share) / chart.labels().size();
  }

  private double y(double value) {
    return HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * value / top;
  }

  private static String number(double coordinate) {
    return String.format(Locale.ROOT, "%.1f", coordinate);
  }
}
