package kv4j.apps.lesson;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import kv4j.apps.html.Chart;
import kv4j.apps.html.Chart.Series;
import kv4j.apps.lesson.LessonPart.Curve;
import kv4j.apps.lesson.LessonPart.Table;
import kv4j.apps.lesson.LessonPart.Text;
import kv4j.apps.report.Format;
import kv4j.cache.KvCache;
import kv4j.cache.KvCacheProvider;
import kv4j.cache.basic.NoCacheProvider;
import kv4j.cache.basic.RequestCacheProvider;

/** Why decoding without a cache is quadratic. */
final class DecodeLesson implements Lesson {
  private static final String TEXT = "Every token that is generated looks back at all before it. ";
  private static final int LONGEST = 512;
  private static final int LENGTHS = 5;
  private static final int NEW_TOKENS = 4;

  /** After a prompt of so many tokens, what each further token took at least. */
  private record Point(int length, double noneMs, double requestMs) {}

  @Override
  public Outline outline() {
    return new Outline(
        "decode",
        "Why decode without a cache is quadratic",
        "Without kept keys and values, each new token computes the whole sequence again, so that an"
            + " answer costs the square of its length; with them it computes one token.",
        "How many times faster does this machine decode with a cache after some 1,000 prompt tokens?",
        "./kv4j compare --quick --cache request");
  }

  @Override
  public void give(Classroom room, Audience audience) throws IOException {
    int longest = room.prompt(TEXT, LONGEST).length;
    List<Integer> lengths =
        IntStream.rangeClosed(1, LENGTHS).map(i -> longest * i / LENGTHS).boxed().toList();
    audience.show(
        new LessonStep(
            "Counted on paper",
            new Text(
                "To generate %d tokens after a prompt, the cache none computes the whole sequence for each; the"
                        .formatted(NEW_TOKENS)
                    + " cache request computes the prompt once, and then one token at a time."),
            counted(lengths)));
    List<Point> points = new ArrayList<>();
    for (int length : lengths) {
      points.add(measure(room, room.prompt(TEXT, length)));
    }
    audience.show(
        new LessonStep(
            "Measured just now",
            new Text("What each token after the first took, by the length of the prompt:"),
            new Curve(
                new Chart(
                    "Time for one more token",
                    Chart.Kind.LINES,
                    "prompt tokens",
                    "ms",
                    points.stream().map(point -> Integer.toString(point.length)).toList(),
                    List.of(
                        new Series("none", points.stream().map(Point::noneMs).toList()),
                        new Series("request", points.stream().map(Point::requestMs).toList()))))));
    Point last = points.get(points.size() - 1);
    audience.show(
        new LessonStep(
            "What that means",
            new Text(
                "After %d tokens, one more took %s ms without a cache and %s ms with one: %s times as much."
                    .formatted(
                        last.length,
                        Format.number(last.noneMs),
                        Format.number(last.requestMs),
                        Format.number(last.noneMs / last.requestMs))),
            new Text(
                "The upper curve rises with the length, and an answer adds up all of it from its"
                    + " prompt on: twice the length is four times the work.")));
  }

  private static Table counted(List<Integer> lengths) {
    return new Table(
        List.of("prompt tokens", "computed with none", "computed with request"),
        lengths.stream()
            .map(
                length ->
                    List.of(
                        Integer.toString(length),
                        Integer.toString(IntStream.range(length, length + NEW_TOKENS).sum()),
                        Integer.toString(length + NEW_TOKENS - 1)))
            .toList());
  }

  private static Point measure(Classroom room, int[] prompt) {
    return new Point(
        prompt.length,
        perToken(room, prompt, new NoCacheProvider()),
        perToken(room, prompt, new RequestCacheProvider()));
  }

  private static double perToken(Classroom room, int[] prompt, KvCacheProvider provider) {
    try (KvCache cache = room.cache(provider)) {
      return Stream.generate(() -> room.run(cache, prompt, NEW_TOKENS))
          .limit(Classroom.RUNS)
          .mapToDouble(result -> (result.latencyNanos() - result.ttftNanos()) / 1e6)
          .map(decodeMs -> decodeMs / (NEW_TOKENS - 1))
          .min()
          .orElseThrow();
    }
  }
}
