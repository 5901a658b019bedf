package kv4j.apps.workload;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import kv4j.apps.workload.AgenticRun.Step;
import kv4j.apps.workload.PromptSet.Sizes;
import kv4j.model.ByteTokenizer;
import kv4j.model.chat.ChatTemplate;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class PromptFormatTest {
  private static final ByteTokenizer BYTES = new ByteTokenizer();
  private static final String TURNS =
      "{% for m in messages %}[{{ m.role }}]{{ m.content }}[end]{% endfor %}"
          + "{% if add_generation_prompt %}[assistant]{% endif %}";
  private static final String REFUSES =
      "{% if messages[0].role == 'system' %}{{ raise_exception('no system') }}{% endif %}" + TURNS;
  private static final String LEAVES_OUT =
      "{% for m in messages %}{% if m.role == 'user' %}[user]{{ m.content }}{% endif %}{% endfor %}";
  private static final PromptSet SMALL =
      new PromptSet(
          "small",
          List.of("Be brief.", "Be kind."),
          PromptSetTest.questions("Why not?", "Whither?"));

  private static PromptFormat format(String template) {
    return new PromptFormat(BYTES, Optional.of(new ChatTemplate(template, "", "")));
  }

  private static List<String> texts(Workload workload) {
    return workload.requests().stream().map(r -> BYTES.decode(r.prompt())).toList();
  }

  @Test
  void aTemplateWritesTheCutTextsDown() {
    Workload workload = SMALL.workload(format(TURNS), new Sizes(2, 12, 5, 3));
    assertEquals(
        List.of(
            "[system]Be brief.\nBe[end][user]Why n[end][assistant]",
            "[system]Be brief.\nBe[end][user]Whith[end][assistant]"),
        texts(workload));
    // The begin token, and all before what the user says, though both users begin with Wh.
    int shared = 1 + "[system]Be brief.\nBe[end][user]".length();
    workload.requests().forEach(r -> assertEquals(shared, r.sharedPrefixTokens()));
    Workload alone = SMALL.workload(format(TURNS), new Sizes(1, 12, 5, 3));
    assertEquals(shared, alone.requests().get(0).sharedPrefixTokens());
  }

  @ParameterizedTest
  @ValueSource(strings = {REFUSES, LEAVES_OUT})
  void withoutASystemRoleTheUserSaysItAll(String template) {
    Workload workload = SMALL.workload(format(template), new Sizes(2, 9, 3, 3));
    for (WorkloadRequest request : workload.requests()) {
      String text = BYTES.decode(request.prompt());
      assertTrue(text.startsWith("[user]Be brief.\n\nWh"), text);
      assertEquals(1 + "[user]Be brief.\n\n".length(), request.sharedPrefixTokens());
    }
  }

  @Test
  void aTemplateThatTakesNothingSaysSo() {
    PromptFormat format = format("{{ raise_exception('not today') }}");
    Throwable e =
        assertThrows(
            IllegalArgumentException.class, () -> SMALL.workload(format, new Sizes(1, 9, 3, 3)));
    assertEquals("the chat template refuses the conversation: not today", e.getMessage());
  }

  @Test
  void nothingIsSharedWhereATemplateBeginsInManyWays() {
    String counts = "{{ messages[1].content | length }}" + TURNS; // parts at once
    PromptSet uneven =
        new PromptSet("uneven", List.of("Be brief."), PromptSetTest.questions("No?", "Or rather?"));
    AgenticRun run =
        new AgenticRun(
            "steps",
            List.of("Rules."),
            Map.of("ann", "Think."),
            List.of(new Step("ann", "one"), new Step("ann", "two three four")));
    assertEquals(
        1,
        uneven.workload(format(counts), new Sizes(2, 5, 3, 3)).requests().stream()
            .mapToInt(WorkloadRequest::sharedPrefixTokens)
            .max()
            .orElseThrow());
    Workload workload = run.workload(format(TURNS), 7, Optional.of(6), 4);
    assertEquals(
        List.of(
            "[system]Rules.\nYou are the ann. Think.[end][user]one[end][assistant]",
            "[system]Rules.\nYou are the ann. Think.[end][user]one\ntwo th[end][assistant]"),
        texts(workload));
  }

  @Test
  void allShippedPromptsBeginWithWhatTheyShare() {
    Workload prompts = PromptSet.shipped().workload(format(TURNS), Sizes.DEFAULT);
    Workload run = AgenticRun.shipped().workload(format(REFUSES), 700, Optional.empty(), 4);
    for (Workload workload : List.of(prompts, run)) {
      int[] first = workload.requests().get(0).prompt();
      for (WorkloadRequest request : workload.requests()) {
        int shared = request.sharedPrefixTokens();
        assertTrue(shared >= 700, "only " + shared);
        assertArrayEquals(Arrays.copyOf(first, shared), Arrays.copyOf(request.prompt(), shared));
      }
    }
  }

  @Test
  void thePrefixGivesWayToWhatTheTemplateAdds() {
    Sizes most = new Sizes(2, 100, 100, 5);
    int own = "[system][end][user]Why not?[end][assistant]".length();
    int context = 1 + own + 9 + 5;
    Sizes sizes = SMALL.fitting(format(TURNS), most, context);
    assertEquals(new Sizes(2, 10, 100, 5), sizes); // a message does not end in a new line
    int longest =
        SMALL.workload(format(TURNS), sizes).requests().stream()
            .mapToInt(r -> r.prompt().length)
            .max()
            .orElseThrow();
    assertEquals(context, longest + 5);
    assertEquals(1, SMALL.fitting(format(TURNS), most, 10).prefixTokens());
  }
}
