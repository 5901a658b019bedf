package kv4j.apps.lesson;

import com.fasterxml.jackson.annotation.JsonSubTypes;
import com.fasterxml.jackson.annotation.JsonTypeInfo;
import java.util.List;
import kv4j.apps.html.Chart;

/** A part of what a step shows. */
@JsonTypeInfo(use = JsonTypeInfo.Id.NAME, property = "kind")
@JsonSubTypes({
  @JsonSubTypes.Type(value = LessonPart.Text.class, name = "text"),
  @JsonSubTypes.Type(value = LessonPart.Table.class, name = "table"),
  @JsonSubTypes.Type(value = LessonPart.Curve.class, name = "chart"),
  @JsonSubTypes.Type(value = LessonPart.HeatMap.class, name = "heatmap")
})
public sealed interface LessonPart {
  /** A paragraph. */
  record Text(String text) implements LessonPart {}

  /**
   * Rows of cells.
   *
   * @param rows each with a cell for each column
   */
  record Table(List<String> columns, List<List<String>> rows) implements LessonPart {
    public Table {
      columns = List.copyOf(columns);
      rows = List.copyOf(rows);
      for (List<String> row : rows) {
        if (row.size() != columns.size()) {
          throw new IllegalArgumentException(
              "%d cells for %d columns".formatted(row.size(), columns.size()));
        }
      }
    }
  }

  /** Bars or lines. */
  record Curve(Chart chart) implements LessonPart {}

  /**
   * Numbers as shades.
   *
   * @param values one for each row and column
   */
  record HeatMap(String title, List<String> rows, List<String> columns, List<List<Double>> values)
      implements LessonPart {
    public HeatMap {
      rows = List.copyOf(rows);
      columns = List.copyOf(columns);
      values = List.copyOf(values);
      for (List<Double> row : values) {
        if (values.size() != rows.size() || row.size() != columns.size()) {
          throw new IllegalArgumentException("a heat map needs a value for each row and column");
        }
      }
    }
  }
}
