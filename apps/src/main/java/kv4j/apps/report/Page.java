package kv4j.apps.report;

import com.github.freva.asciitable.ColumnData;
import java.util.List;

/** What grows by lines and tables. */
public interface Page {
  /** Adds a line, or as many as it takes. */
  void line(String line);

  /** Adds a line that nothing follows closely. */
  void paragraph(String paragraph);

  /** Adds a table. */
  <T> void table(List<T> rows, List<ColumnData<T>> columns);
}
