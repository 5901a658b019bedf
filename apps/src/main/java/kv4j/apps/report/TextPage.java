package kv4j.apps.report;

import com.github.freva.asciitable.AsciiTable;
import com.github.freva.asciitable.Column;
import com.github.freva.asciitable.ColumnData;
import com.github.freva.asciitable.HorizontalAlign;
import java.util.List;
import java.util.function.Function;
import kv4j.apps.cli.Terminal;
import org.apache.commons.text.WordUtils;

/** Text that grows by lines and tables of at most {@value Terminal#COLUMNS} columns. */
public final class TextPage implements Page {
  private final StringBuilder text = new StringBuilder();

  @Override
  public void line(String line) {
    text.append(WordUtils.wrap(line, Terminal.COLUMNS)).append('\n');
  }

  @Override
  public void paragraph(String paragraph) {
    line(paragraph);
    text.append('\n');
  }

  @Override
  public <T> void table(List<T> rows, List<ColumnData<T>> columns) {
    String table =
        AsciiTable.builder()
            .border(AsciiTable.BASIC_ASCII_NO_DATA_SEPARATORS_NO_OUTSIDE_BORDER)
            .lineSeparator("\n")
            .maxTableWidth(Terminal.COLUMNS)
            .data(rows, columns)
            .asString();
    text.append(table.indent(0).replaceAll("(?m) +$", "")).append('\n');
  }

  /** A table's column of words. */
  public static <T> ColumnData<T> left(String header, Function<T, String> value) {
    return column(header, HorizontalAlign.LEFT).with(value);
  }

  /** A table's column of figures. */
  public static <T> ColumnData<T> right(String header, Function<T, String> value) {
    return column(header, HorizontalAlign.RIGHT).with(value);
  }

  private static Column column(String header, HorizontalAlign align) {
    return new Column().header(header).headerAlign(align).dataAlign(align);
  }

  @Override
  public String toString() {
    return text.toString();
  }
}
