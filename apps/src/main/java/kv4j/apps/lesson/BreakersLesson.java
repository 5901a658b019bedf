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
import kv4j.cache.KvRequest;
import kv4j.inference.GenerationResult;

/** Five things that clients do to their prompts, and what each costs. */
final class BreakersLesson implements Lesson {
  private static final String SYSTEM = "You are a helpful assistant of the library.\n";
  private static final String TOOL_A = "{\"name\":\"hours\",\"branch\":\"string\"}\n";
  private static final String TOOL_B = "{\"name\":\"search\",\"title\":\"string\"}\n";
  private static final String TURN_1 = "user: Is the river branch open?\nassistant: Until six.\n";
  private static final String TURN_2 = "user: And on Sunday?\nassistant: It is closed.\n";
  private static final String QUESTION = "user: Who can renew a card?\n";

  /** The next request of a conversation, which was sent up to its last question before. */
  private record Case(String name, String remedy, String prompt, String namespace) {
    static Case of(String name, String remedy, String... parts) {
      return new Case(name, remedy, String.join("", parts), "");
    }
  }

  private static final String BEFORE = SYSTEM + TOOL_A + TOOL_B + TURN_1 + TURN_2;

  private static final List<Case> CASES =
      List.of(
          Case.of("nothing is broken", "-", BEFORE, QUESTION),
          Case.of(
              "a timestamp in front",
              "put it last, or leave it out",
              "12:04:31 ",
              BEFORE,
              QUESTION),
          Case.of(
              "two tools swapped",
              "send tools in a fixed order",
              SYSTEM,
              TOOL_B,
              TOOL_A,
              TURN_1,
              TURN_2,
              QUESTION),
          Case.of(
              "an earlier turn edited",
              "append corrections instead",
              SYSTEM,
              TOOL_A,
              TOOL_B,
              TURN_1.replace("six", "eight"),
              TURN_2,
              QUESTION),
          Case.of(
              "the oldest turn dropped",
              "drop many at once, and seldom",
              SYSTEM,
              TOOL_A,
              TOOL_B,
              TURN_2,
              QUESTION),
          new Case(
              "another namespace",
              "give what tenants share to one",
              BEFORE + QUESTION,
              "someone else"));

  @Override
  public Outline outline() {
    return new Outline(
        "breakers",
        "Five ways to break a prefix cache",
        "What a cache can reuse is decided by how clients write their prompts. Five habits make it"
            + " find less than it might, and each has a remedy.",
        "Which of these does your own client do? The answer's kv4j object says where it diverged.",
        "./kv4j serve --model model.gguf");
  }

  @Override
  public void give(Classroom room, Audience audience) throws IOException {
    audience.show(
        new LessonStep(
            "A conversation so far",
            new Text(
                "Two tools and two turns, sent to the model and cached. Its next request repeats all of"
                    + " that and adds a question:"),
            new Table(List.of("prompt"), (BEFORE + QUESTION).lines().map(List::of).toList())));
    List<GenerationResult> results =
        Classroom.fastest(() -> CASES.stream().map(each -> run(room, each)).toList());
    double best = Classroom.ttftMs(results.get(0));
    List<List<String>> rows = new ArrayList<>();
    for (int i = 0; i < CASES.size(); i++) {
      GenerationResult result = results.get(i);
      rows.add(
          List.of(
              CASES.get(i).name,
              "%d of %d".formatted(result.lookup().cachedTokens(), result.lookup().promptTokens()),
              result.lookup().reason().label(),
              Format.number(Classroom.ttftMs(result)),
              i == 0 ? "-" : Format.number(Classroom.ttftMs(result) - best)));
    }
    audience.show(
        new LessonStep(
            "The same request, broken in five ways",
            new Table(
                List.of("request", "cached tokens", "why no more", "TTFT ms", "costs ms"), rows),
            new Curve(
                new Chart(
                    "Tokens to compute",
                    Chart.Kind.BARS,
                    "request",
                    "tokens",
                    List.of("unbroken", "time", "tools", "edited", "dropped", "tenant"),
                    List.of(
                        new Series(
                            "computed",
                            results.stream()
                                .map(GenerationResult::lookup)
                                .map(found -> (double) found.promptTokens() - found.cachedTokens())
                                .toList()))))));
    audience.show(
        new LessonStep(
            "What to do",
            new Table(
                List.of("habit", "remedy"),
                CASES.stream().skip(1).map(each -> List.of(each.name, each.remedy)).toList())));
  }

  /** After a conversation was cached. */
  private static GenerationResult run(Classroom room, Case each) {
    try (KvCache cache = room.cache()) {
      room.run(cache, room.tokens(BEFORE), 1);
      KvRequest request = KvRequest.of(room.tokens(each.prompt)).withNamespace(each.namespace);
      return room.run(cache, request, 1);
    }
  }
}
