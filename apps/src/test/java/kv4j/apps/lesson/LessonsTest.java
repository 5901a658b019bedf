package kv4j.apps.lesson;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import kv4j.apps.cli.Terminal;
import kv4j.apps.html.Chart;
import kv4j.apps.lesson.LessonPart.Curve;
import kv4j.apps.lesson.LessonPart.HeatMap;
import kv4j.apps.lesson.LessonPart.Table;
import kv4j.inference.EngineOptions;
import kv4j.inference.InferenceEngine;
import kv4j.model.ByteTokenizer;
import kv4j.model.DemoModels;
import kv4j.model.Model;
import kv4j.model.TransformerConfig;
import kv4j.model.TransformerConfig.RopePairing;
import kv4j.model.TransformerGraph;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Lessons on a model of a few layers: what they show is what must come out. */
class LessonsTest {
  private static final int LAYERS = 5;
  private static final ByteTokenizer TOKENIZER = new ByteTokenizer();
  private static InferenceEngine engine;

  private static InferenceEngine engine(int context) {
    TransformerConfig config =
        new TransformerConfig(
            LAYERS,
            32,
            4,
            2,
            8,
            48,
            ByteTokenizer.VOCABULARY,
            context,
            1e-5f,
            10_000f,
            RopePairing.SPLIT,
            false);
    Model model =
        new Model(
            "small",
            config,
            TransformerGraph.build(DemoModels.randomWeights(config, 7)),
            TOKENIZER,
            "small",
            true);
    return InferenceEngine.create(model, new EngineOptions(1, 100));
  }

  @BeforeAll
  static void start() {
    engine = engine(1024);
  }

  @AfterAll
  static void stop() {
    engine.close();
  }

  private static List<LessonStep> steps(String name) throws IOException {
    List<LessonStep> steps = new ArrayList<>();
    Lessons.find(name).orElseThrow().give(new Classroom(engine, TOKENIZER), steps::add);
    return steps;
  }

  private static <P extends LessonPart> List<P> parts(List<LessonStep> steps, Class<P> type) {
    return steps.stream()
        .flatMap(step -> step.parts().stream())
        .filter(type::isInstance)
        .map(type::cast)
        .toList();
  }

  private static List<String> column(Table table, String name) {
    int column = table.columns().indexOf(name);
    assertTrue(column >= 0, table.columns().toString());
    return table.rows().stream().map(row -> row.get(column)).toList();
  }

  private static Chart chart(List<LessonStep> steps, String title) {
    return parts(steps, Curve.class).stream()
        .map(Curve::chart)
        .filter(chart -> chart.title().equals(title))
        .findFirst()
        .orElseThrow();
  }

  static Stream<String> names() {
    return Lessons.names().stream();
  }

  @ParameterizedTest
  @MethodSource("names")
  void eachFitsATerminal(String name) throws IOException {
    Lesson lesson = Lessons.find(name).orElseThrow();
    StringBuilder text = new StringBuilder(LessonText.beginning(lesson.outline()));
    List<LessonStep> steps = steps(name);
    assertTrue(steps.size() >= 2, steps.toString());
    steps.forEach(step -> text.append(LessonText.step(step)));
    text.append(LessonText.end(lesson.outline()));
    for (String line : text.toString().split("\n")) {
      assertTrue(line.length() <= Terminal.COLUMNS, line);
    }
    assertTrue(text.toString().contains("\n  ./kv4j "), text.toString());
  }

  @Test
  void attentionIsWhatTheModelComputes() throws IOException {
    List<LessonStep> steps = steps("attention");
    HeatMap map = parts(steps, HeatMap.class).get(0);
    for (int row = 0; row < 6; row++) {
      List<Double> shares = map.values().get(row);
      assertEquals(1, shares.stream().mapToDouble(Double::doubleValue).sum(), 1e-6);
      assertTrue(shares.subList(row + 1, 6).stream().allMatch(share -> share == 0));
    }
    String check = LessonText.step(steps.get(3)).replaceAll("\\s+", " ");
    double error =
        Double.parseDouble(check.replaceFirst(".*model's own result by (\\S+)\\. .*", "$1"));
    assertTrue(error < 1e-5, check);
    assertTrue(check.contains("= 640 bytes a token"), check); // 2 x 5 x 2 x 8 x 4
  }

  @Test
  void changedTokensEndWhatIsShared() throws IOException {
    List<LessonStep> steps = steps("prefix");
    Table four = parts(steps, Table.class).get(0);
    int length = 240 + 16;
    assertEquals("0", column(four, "cached").get(0));
    assertEquals(Integer.toString(length - 1), column(four, "cached").get(2));
    assertEquals(Integer.toString(length / 2), column(four, "cached").get(3));
    Chart moving = chart(steps, "Tokens cached");
    assertEquals(
        moving.labels().stream().map(Double::valueOf).toList(),
        moving.series().get(0).values(),
        "just what comes before the changed token");
  }

  @Test
  void eachBreakerCostsWhatThePromptsHaveNotInCommon() throws IOException {
    Table table = parts(steps("breakers"), Table.class).get(1);
    String before =
        "You are a helpful assistant of the library.\n"
            + "{\"name\":\"hours\",\"branch\":\"string\"}\n{\"name\":\"search\",\"title\":\"string\"}\n"
            + "user: Is the river branch open?\nassistant: Until six.\n";
    List<Integer> cached =
        column(table, "cached tokens").stream()
            .map(text -> Integer.valueOf(text.split(" ")[0]))
            .toList();
    assertEquals(0, cached.get(1));
    assertEquals(before.indexOf("hours"), cached.get(2));
    assertEquals(before.indexOf("six"), cached.get(3));
    assertEquals(before.indexOf("Is the river"), cached.get(4));
    assertEquals(0, cached.get(5));
    assertTrue(cached.get(0) > before.length(), "all that was sent before");
    assertEquals("other namespace", column(table, "why no more").get(5));
  }

  @Test
  void whatIsEvictedIsNotFound() throws IOException {
    List<Table> tables = parts(steps("eviction"), Table.class);
    assertEquals(List.of("lru", "lfu", "fifo"), column(tables.get(3), "policy"));
    List<String> lru = column(tables.get(0), "cached tokens");
    assertEquals(
        List.of(0, 31, 31, 0, 0, 0, 31, 0),
        lru.stream().map(text -> Integer.valueOf(text.split(" ")[0])).toList());
    assertEquals("evicted", column(tables.get(0), "why no more").get(7));
  }

  @Test
  void fewerBitsMoveLogits() throws IOException {
    List<LessonStep> steps = steps("bits");
    Table table = parts(steps, Table.class).get(0);
    assertEquals(List.of("f32", "f16", "bf16", "i8"), column(table, "kept as"));
    assertEquals(List.of("640", "320", "320", "240"), column(table, "bytes a token"));
    List<Double> differences =
        chart(steps, "Largest difference to 32-bit floats").series().get(0).values();
    assertEquals(0, differences.get(0));
    assertTrue(differences.stream().skip(1).allMatch(difference -> difference > 0));
  }

  @Test
  void aFaultReachesTheLayersAboveItAndNoOther() throws IOException {
    List<LessonStep> steps = steps("fault");
    List<Double> errors = chart(steps, "Keys of the last token").series().get(0).values();
    assertEquals(LAYERS, errors.size());
    assertEquals(List.of(0.0, 0.0), errors.subList(0, 2), "the fault is in layer 1");
    assertTrue(errors.subList(2, LAYERS).stream().allMatch(error -> error > 1), errors.toString());
    List<Double> byLayer =
        chart(steps, "Largest difference of a logit of the first token").series().get(0).values();
    assertEquals(LAYERS, byLayer.size());
    assertTrue(byLayer.stream().allMatch(difference -> difference > 1e-3), byLayer.toString());
  }

  @Test
  void decodingWithoutACacheComputesTheSquare() throws IOException {
    Table counted = parts(steps("decode"), Table.class).get(0);
    for (List<String> row : counted.rows()) {
      int length = Integer.parseInt(row.get(0));
      int sum = IntStream.of(length, length + 1, length + 2, length + 3).sum();
      assertEquals(List.of(Integer.toString(sum), Integer.toString(length + 3)), row.subList(1, 3));
    }
  }

  @Test
  void aContextThatIsTooShortIsSaid() {
    try (InferenceEngine small = engine(64)) {
      assertEquals(
          "the lesson needs a context of more than 214 tokens, and the model has 64",
          assertThrows(
                  IllegalArgumentException.class,
                  () ->
                      Lessons.find("breakers")
                          .orElseThrow()
                          .give(new Classroom(small, TOKENIZER), step -> {}))
              .getMessage());
    }
  }

  @Test
  void whoeverLeavesEndsIt() {
    int[] shown = {0};
    assertThrows(
        IOException.class,
        () ->
            Lessons.find("bits")
                .orElseThrow()
                .give(
                    new Classroom(engine, TOKENIZER),
                    step -> {
                      shown[0]++;
                      throw new IOException("gone");
                    }));
    assertEquals(1, shown[0]);
  }

  @Test
  void rowsAndColumnsHaveToMatch() {
    assertThrows(
        IllegalArgumentException.class,
        () -> new Table(List.of("one", "two"), List.of(List.of("1"))));
    assertThrows(
        IllegalArgumentException.class,
        () -> new HeatMap("", List.of("a"), List.of("b"), List.of(Arrays.asList(1.0, 2.0))));
  }
}
