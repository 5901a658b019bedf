package kv4j.apps.html;

import java.util.List;

/**
 * Figures to draw, beside each other or as curves.
 *
 * @param title one line
 * @param x what the places along the x axis are
 * @param y what the values are, with their unit
 * @param labels of the places along the x axis, in order, at least 1
 * @param series at least 1, each with a value for each label; NaN where there is none
 */
public record Chart(
    String title, Kind kind, String x, String y, List<String> labels, List<Series> series) {
  /** How to draw. */
  public enum Kind {
    BARS,
    LINES
  }

  /** Values of one kind. */
  public record Series(String name, List<Double> values) {
    public Series {
      values = List.copyOf(values);
    }
  }

  public Chart {
    labels = List.copyOf(labels);
    series = List.copyOf(series);
    for (Series each : series) {
      if (labels.isEmpty() || each.values().size() != labels.size()) {
        throw new IllegalArgumentException(
            "%d values for %d labels".formatted(each.values().size(), labels.size()));
      }
    }
  }

  /** The largest value that there is; 0 if none is above it. */
  double largest() {
    return series.stream()
        .flatMap(each -> each.values().stream())
        .filter(Double::isFinite)
        .mapToDouble(Double::doubleValue)
        .reduce(0, Math::max);
  }
}
