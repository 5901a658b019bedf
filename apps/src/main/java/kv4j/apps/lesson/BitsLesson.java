package kv4j.apps.lesson;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import kv4j.apps.html.Chart;
import kv4j.apps.html.Chart.Series;
import kv4j.apps.lesson.LessonPart.Curve;
import kv4j.apps.lesson.LessonPart.Table;
import kv4j.apps.lesson.LessonPart.Text;
import kv4j.apps.report.Format;
import kv4j.cache.KvCache;
import kv4j.cache.basic.RequestCacheProvider;
import kv4j.cache.block.KvDtype;
import kv4j.inference.GenerationResult;

/** Keys and values in fewer bits. */
final class BitsLesson implements Lesson {
  private static final String TEXT = "Once upon a time there was a machine that could remember. ";
  private static final int PROMPT = 96;
  private static final int NEW_TOKENS = 24;

  @Override
  public Outline outline() {
    return new Outline(
        "bits",
        "Fewer bits",
        "Keys and values can be kept in half or a quarter of the bytes. What that does to the logits"
            + " can be measured, and often the tokens stay the same.",
        "How many of 160 answers' tokens stay the same with 8-bit keys and values?",
        "./kv4j compare --quick --cache-dtype i8");
  }

  @Override
  public void give(Classroom room, Audience audience) throws IOException {
    int[] prompt = room.prompt(TEXT, PROMPT);
    int newTokens = Math.min(NEW_TOKENS, room.context() - prompt.length);
    GenerationResult exact = run(room, prompt, newTokens, KvDtype.F32);
    List<List<String>> rows = new ArrayList<>();
    List<Double> differences = new ArrayList<>();
    List<String> names = new ArrayList<>();
    for (KvDtype dtype : KvDtype.values()) {
      GenerationResult rounded = run(room, prompt, newTokens, dtype);
      double difference = Classroom.difference(exact, rounded);
      names.add(dtype.toString());
      differences.add(difference);
      rows.add(
          List.of(
              dtype.toString(),
              "%,d".formatted(room.layout(dtype).bytesPerToken()),
              Format.scientific(difference),
              "%d of %d".formatted(Classroom.sameTokens(exact, rounded), newTokens)));
    }
    audience.show(
        new LessonStep(
            "The same answer in all of them",
            new Text(
                "A prompt of %d tokens and %d new ones. Numbers are rounded as they enter the cache, before"
                        .formatted(prompt.length, newTokens)
                    + " anything attends to them."),
            new Table(
                List.of(
                    "kept as",
                    "bytes a token",
                    "largest difference of a logit",
                    "same tokens up to"),
                rows)));
    audience.show(
        new LessonStep(
            "How far the first token's logits move",
            new Curve(
                new Chart(
                    "Largest difference to 32-bit floats",
                    Chart.Kind.BARS,
                    "kept as",
                    "logit",
                    names,
                    List.of(new Series("difference", differences)))),
            new Text(
                "Whether that changes a token depends on how close the two likeliest ones were: a"
                    + " difference smaller than half the gap between them changes nothing.")));
  }

  private static GenerationResult run(Classroom room, int[] prompt, int newTokens, KvDtype dtype) {
    try (KvCache cache = new RequestCacheProvider().create(room.config(dtype))) {
      return room.run(cache, prompt, newTokens);
    }
  }
}
