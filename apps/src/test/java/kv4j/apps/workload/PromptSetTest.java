package kv4j.apps.workload;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import kv4j.apps.workload.PromptSet.Question;
import kv4j.apps.workload.PromptSet.Sizes;
import kv4j.model.ByteTokenizer;
import kv4j.model.chat.ChatTemplate;
import org.junit.jupiter.api.Test;

class PromptSetTest {
  private static final ByteTokenizer BYTES = new ByteTokenizer();
  private static final PromptSet SMALL =
      new PromptSet("small", List.of("Be brief.", "Be kind."), questions("Why not?", "How so?"));

  static List<Question> questions(String... texts) {
    return Stream.of(texts).map(Question::new).toList();
  }

  private static void refuses(String message, PromptSet prompts, Sizes sizes) {
    Throwable e =
        assertThrows(IllegalArgumentException.class, () -> prompts.workload(BYTES, sizes));
    assertEquals(message, e.getMessage());
  }

  @Test
  void cutsPrefixAndSuffixToTheToken() {
    Workload workload = SMALL.workload(BYTES, new Sizes(2, 12, 3, 5));
    assertEquals(5, workload.newTokens());
    assertEquals(2, workload.requests().size());
    for (WorkloadRequest request : workload.requests()) {
      assertEquals(15, request.prompt().length);
      assertEquals(12, request.sharedPrefixTokens());
      assertEquals(BYTES.beginToken(), request.prompt()[0]);
    }
    assertEquals("Be brief.\nBWhy", BYTES.decode(workload.requests().get(0).prompt()));
    assertEquals("Be brief.\nBHow", BYTES.decode(workload.requests().get(1).prompt()));
  }

  @Test
  void neverMakesTextUp() {
    refuses(
        "the workload small has 2 questions, too few for 3 requests",
        SMALL,
        new Sizes(3, 12, 3, 5));
    List<WorkloadRequest> whole = SMALL.workload(BYTES, new Sizes(2, 20, 50, 5)).requests();
    assertEquals(List.of(28, 27), whole.stream().map(r -> r.prompt().length).toList());
    Sizes most = new Sizes(2, 100, 100, 5);
    assertEquals(
        new Sizes(2, 20, 100, 5),
        SMALL.fitting(PromptFormat.plain(BYTES), most, Integer.MAX_VALUE));
    assertEquals(new Sizes(2, 9, 100, 5), SMALL.fitting(PromptFormat.plain(BYTES), most, 22));
    refuses(
        "the workload small has a system prompt of only 20 tokens, too few for 21",
        SMALL,
        new Sizes(2, 21, 3, 5));
  }

  @Test
  void sizesArePositive() {
    for (int zero = 0; zero < 4; zero++) {
      int[] sizes = {1, 1, 1, 1};
      sizes[zero] = -zero;
      Throwable e =
          assertThrows(
              IllegalArgumentException.class,
              () -> new Sizes(sizes[0], sizes[1], sizes[2], sizes[3]));
      assertTrue(e.getMessage().endsWith(" must be at least 1, not " + -zero), e.getMessage());
    }
  }

  @Test
  void answersAreRightOnlyToWhatIsAskedInFull() {
    PromptSet set =
        new PromptSet(
            "answered",
            List.of("It opens at 9."),
            List.of(new Question("When?", Optional.of("At 9.")), new Question("Why?")));
    int page = set.system().get(0).length() + 1;
    PromptFormat chat =
        new PromptFormat(BYTES, Optional.of(new ChatTemplate("{{ messages }}", "", "")));
    Sizes whole = new Sizes(2, page, 5, 5);
    assertEquals(List.of("At 9.", ""), answers(set.workload(chat, whole)));
    assertEquals(List.of("", ""), answers(set.workload(chat, whole.withPrefix(page - 1))));
    assertEquals(List.of("", ""), answers(set.workload(chat, new Sizes(2, page, 4, 5))));
    assertEquals(List.of("", ""), answers(set.workload(PromptFormat.plain(BYTES), whole)));
  }

  private static List<String> answers(Workload workload) {
    return workload.requests().stream().map(request -> request.answer().orElse("")).toList();
  }

  @Test
  void theShippedTextIsEnoughForTheDefaults() {
    PromptSet shipped = PromptSet.shipped();
    Workload workload = shipped.workload(BYTES, Sizes.DEFAULT);
    assertEquals(40, workload.requests().size());
    assertEquals(1000, workload.requests().get(39).sharedPrefixTokens());
    assertEquals(10, shipped.workload(BYTES, Sizes.QUICK).requests().size());
  }

  /** All the defaults leave whole, so that each question of it has its right answer. */
  @Test
  void theShippedPageIsReadInFullByTheDemoModel() {
    PromptFormat format = DemoPrompts.format();
    PromptSet shipped = PromptSet.shipped();
    Sizes sizes = shipped.fitting(format, Sizes.DEFAULT, DemoPrompts.CONTEXT);
    assertTrue(sizes.prefixTokens() > 900, sizes.toString());
    Workload workload = shipped.workload(format, sizes);
    List<String> answers = answers(workload);
    assertEquals(
        shipped.questions().subList(0, 40).stream().map(q -> q.answer().orElseThrow()).toList(),
        answers);
    DemoPrompts.assertSaidOnThePage(String.join("\n", shipped.system()), answers);
    answers.forEach(
        answer -> {
          int tokens = format.passage(answer).tokens().length + 1; // its end is one too
          assertTrue(tokens <= sizes.newTokens(), answer);
        });
    int[] first = workload.requests().get(0).prompt();
    for (WorkloadRequest request : workload.requests()) {
      int shared = request.sharedPrefixTokens();
      assertTrue(shared > sizes.prefixTokens());
      assertArrayEquals(Arrays.copyOf(first, shared), Arrays.copyOf(request.prompt(), shared));
    }
  }
}
