package kv4j.apps.lesson;

import com.github.freva.asciitable.ColumnData;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;
import java.util.stream.IntStream;
import kv4j.apps.html.Chart;
import kv4j.apps.html.Chart.Series;
import kv4j.apps.lesson.LessonPart.Curve;
import kv4j.apps.lesson.LessonPart.HeatMap;
import kv4j.apps.lesson.LessonPart.Table;
import kv4j.apps.lesson.LessonPart.Text;
import kv4j.apps.report.Format;
import kv4j.apps.report.TextPage;

/** Steps of lessons as text. */
public final class LessonText {
  private static final int BAR = 30;

  private LessonText() {}

  /** All lessons, a line each. */
  public static String list(List<Lesson> lessons) {
    TextPage page = new TextPage();
    page.table(
        lessons.stream().map(Lesson::outline).toList(),
        List.of(
            TextPage.left("lesson", Lesson.Outline::name),
            TextPage.left("about", Lesson.Outline::title)));
    page.line("kv4j lesson NAME gives one.");
    return page.toString();
  }

  /** What a lesson is for. */
  public static String beginning(Lesson.Outline outline) {
    TextPage page = new TextPage();
    page.paragraph(outline.title());
    page.paragraph("At the end: " + outline.goal());
    return page.toString();
  }

  /** What there is to try after it. */
  public static String end(Lesson.Outline outline) {
    TextPage page = new TextPage();
    page.line("To find out: " + outline.question());
    return page + "  " + outline.command() + "\n";
  }

  /** A step. */
  public static String step(LessonStep step) {
    TextPage page = new TextPage();
    page.paragraph("== " + step.title() + " ==");
    for (LessonPart part : step.parts()) {
      if (part instanceof Text text) {
        page.paragraph(text.text());
      } else if (part instanceof Table table) {
        table(page, table);
      } else if (part instanceof Curve curve) {
        chart(page, curve.chart());
      } else if (part instanceof HeatMap map) {
        heatMap(page, map);
      }
    }
    return page.toString();
  }

  private static void table(TextPage page, Table table) {
    List<ColumnData<List<String>>> columns = new ArrayList<>();
    for (int i = 0; i < table.columns().size(); i++) {
      int column = i;
      Function<List<String>, String> cell = row -> row.get(column);
      String header = table.columns().get(i);
      boolean figures = table.rows().stream().map(cell).allMatch(text -> text.matches("[-\\d].*"));
      columns.add(figures ? TextPage.right(header, cell) : TextPage.left(header, cell));
    }
    page.table(table.rows(), columns);
  }

  /** Numbers, and a bar for each of the last series. */
  private static void chart(TextPage page, Chart chart) {
    page.line(chart.title() + ", in " + chart.y() + ":");
    double largest =
        chart.series().stream()
            .flatMap(series -> series.values().stream())
            .mapToDouble(Double::doubleValue)
            .max()
            .orElse(0);
    List<ColumnData<Integer>> columns = new ArrayList<>();
    columns.add(TextPage.right(chart.x(), i -> chart.labels().get(i)));
    for (Series series : chart.series()) {
      columns.add(TextPage.right(series.name(), i -> Format.number(series.values().get(i))));
      if (chart.series().size() == 1) {
        columns.add(TextPage.left("", i -> bar(series.values().get(i), largest)));
      }
    }
    page.table(IntStream.range(0, chart.labels().size()).boxed().toList(), columns);
  }

  private static String bar(double value, double largest) {
    return largest > 0 ? "#".repeat((int) Math.round(BAR * value / largest)) : "";
  }

  private static void heatMap(TextPage page, HeatMap map) {
    page.line(map.title() + ":");
    List<ColumnData<Integer>> columns = new ArrayList<>();
    columns.add(TextPage.left("", i -> map.rows().get(i)));
    for (int i = 0; i < map.columns().size(); i++) {
      int column = i;
      columns.add(
          TextPage.right(
              map.columns().get(i), row -> "%.2f".formatted(map.values().get(row).get(column))));
    }
    page.table(IntStream.range(0, map.rows().size()).boxed().toList(), columns);
  }
}
