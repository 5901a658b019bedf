package kv4j.apps.lesson;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.function.Function;
import java.util.stream.IntStream;
import kv4j.apps.html.Chart;
import kv4j.apps.html.Chart.Series;
import kv4j.apps.lesson.LessonPart.Curve;
import kv4j.apps.lesson.LessonPart.Table;
import kv4j.apps.lesson.LessonPart.Text;
import kv4j.apps.report.Format;
import kv4j.cache.KvCache;
import kv4j.inference.GenerationResult;

/** Prefix sharing, and where it ends: at the first token that differs. */
final class PrefixLesson implements Lesson {
  private static final String TEXT =
      "You are a help desk of a library. Answer in one sentence, and say which branch is open. ";
  private static final List<String> NAMES =
      List.of(
          "first of all",
          "the same beginning, another question",
          "the same prompt again",
          "again, with the token in the middle changed");
  private static final int SHARED = 240;
  private static final int OWN = 16;
  private static final int POINTS = 6;

  @Override
  public Outline outline() {
    return new Outline(
        "prefix",
        "Prefix sharing, and where it ends",
        "A request finds cached what it has in common with an earlier one from the first token on."
            + " One changed token ends that, even if all that follows is the same.",
        "What does the tree of cached prefixes look like after 10 requests that share one?",
        "./kv4j compare --quick --show-tree");
  }

  @Override
  public void give(Classroom room, Audience audience) throws IOException {
    int[] shared = room.prompt(TEXT, SHARED);
    int[] first = with(shared, room.prompt("When do you open on Monday? ", OWN));
    int[] second = with(shared, room.prompt("Which books are on the bus? ", OWN));
    int[] changed = changedAt(first, first.length / 2, room);
    List<int[]> prompts = List.of(first, second, first, changed);
    List<GenerationResult> four = Classroom.fastest(() -> inTurn(room, prompts));
    List<List<String>> rows =
        IntStream.range(0, NAMES.size()).mapToObj(i -> row(NAMES.get(i), four.get(i))).toList();
    audience.show(
        new LessonStep(
            "Four requests",
            new Text(
                "Their prompts have %d tokens, of which the first %d are the same text."
                    .formatted(first.length, shared.length)),
            new Table(
                List.of("request", "cached", "computed", "TTFT ms", "why no more was cached"),
                rows),
            new Text(
                "One token is always computed: the next one is picked from its logits. The third"
                    + " request is as much as a cache can do, and the fourth shows how much one token"
                    + " in the wrong place costs.")));
    List<GenerationResult> results = Classroom.fastest(() -> moving(room, first));
    audience.show(
        new LessonStep(
            "The changed token moves",
            new Text(
                "The same prompt, each time with one token changed, nearer and nearer to its end:"),
            chart(
                "Tokens cached",
                "tokens",
                results,
                result -> (double) result.lookup().cachedTokens()),
            chart("Time to first token", "ms", results, Classroom::ttftMs)));
    audience.show(
        new LessonStep(
            "Why",
            new Text(
                "A key depends on all tokens before it, as attention mixed them into it. After"
                    + " another token they are other keys, though the text be the same. So what is"
                    + " likely to change belongs at the end of a prompt.")));
  }

  private static List<GenerationResult> inTurn(Classroom room, List<int[]> prompts) {
    try (KvCache cache = room.cache()) {
      return prompts.stream().map(prompt -> room.run(cache, prompt, 1)).toList();
    }
  }

  private static int[] with(int[] prefix, int[] suffix) {
    return IntStream.concat(Arrays.stream(prefix), Arrays.stream(suffix)).toArray();
  }

  private static int[] changedAt(int[] prompt, int position, Classroom room) {
    int[] changed = prompt.clone();
    int other = prompt[(position + 1) % prompt.length];
    changed[position] =
        other != prompt[position] ? other : (other + 1) % room.tokenizer().vocabulary();
    return changed;
  }

  private static List<String> row(String name, GenerationResult result) {
    int cached = result.lookup().cachedTokens();
    return List.of(
        name,
        Integer.toString(cached),
        Integer.toString(result.lookup().promptTokens() - cached),
        Format.number(Classroom.ttftMs(result)),
        result.lookup().reason().label());
  }

  private static int position(int length, int point) {
    return (length - 1) * point / (POINTS - 1);
  }

  /** What a request found, with a token changed from the first to the last. */
  private static List<GenerationResult> moving(Classroom room, int[] prompt) {
    List<GenerationResult> results = new ArrayList<>();
    for (int i = 0; i < POINTS; i++) {
      try (KvCache cache = room.cache()) {
        room.run(cache, prompt, 1);
        results.add(room.run(cache, changedAt(prompt, position(prompt.length, i), room), 1));
      }
    }
    return results;
  }

  private static Curve chart(
      String title,
      String unit,
      List<GenerationResult> results,
      Function<GenerationResult, Double> value) {
    int length = results.get(0).lookup().promptTokens();
    return new Curve(
        new Chart(
            title,
            Chart.Kind.LINES,
            "position of the changed token",
            unit,
            IntStream.range(0, results.size())
                .mapToObj(i -> Integer.toString(position(length, i)))
                .toList(),
            List.of(
                new Series(title.toLowerCase(Locale.ROOT), results.stream().map(value).toList()))));
  }
}
