package kv4j.apps.workload;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import kv4j.apps.workload.AgenticRun.Step;
import kv4j.model.ByteTokenizer;
import kv4j.model.chat.ChatTemplate;
import org.junit.jupiter.api.Test;

class AgenticRunTest {
  private static final ByteTokenizer BYTES = new ByteTokenizer();

  @Test
  void eachStepGoesOnWhereItsAgentStopped() {
    AgenticRun run =
        new AgenticRun(
            "small",
            List.of("Rules."),
            Map.of("ann", "Think.", "bob", "Do."),
            List.of(new Step("ann", "one"), new Step("bob", "two"), new Step("ann", "three")));
    List<WorkloadRequest> requests = run.workload(BYTES, 4).requests();
    assertEquals(
        List.of(
            "Rules.\nYou are the ann. Think.\none\n",
            "Rules.\nYou are the bob. Do.\ntwo\n",
            "Rules.\nYou are the ann. Think.\none\nthree\n"),
        requests.stream().map(r -> BYTES.decode(r.prompt())).toList());
    assertEquals(List.of("ann", "bob", "ann"), requests.stream().map(r -> r.group()).toList());
    assertEquals(List.of(8, 8, 8), requests.stream().map(r -> r.sharedPrefixTokens()).toList());
  }

  @Test
  void rightAnswersAreWhatItsAgentHeardBefore() {
    AgenticRun run =
        new AgenticRun(
            "answered",
            List.of("Rules."),
            Map.of("ann", "Think."),
            List.of(
                new Step("ann", "one", Optional.of("ONE")),
                new Step("ann", "two"),
                new Step("ann", "three", Optional.of("THREE"))));
    String turns = "{% for m in messages %}[{{ m.role }}]{{ m.content }}{% endfor %}";
    PromptFormat chat = new PromptFormat(BYTES, Optional.of(new ChatTemplate(turns, "", "")));
    Workload workload = run.workload(chat, run.systemTokens(chat), Optional.empty(), 4);
    assertEquals(
        List.of(
            "[system]Rules.\nYou are the ann. Think.[user]one",
            "[system]Rules.\nYou are the ann. Think.[user]one[assistant]ONE[user]two",
            "[system]Rules.\nYou are the ann. Think.[user]one[assistant]ONE[user]two\nthree"),
        workload.requests().stream().map(r -> BYTES.decode(r.prompt())).toList());
    assertEquals(List.of("ONE", "", "THREE"), answers(workload));
    assertEquals(List.of("", "", ""), answers(run.workload(chat, 3, Optional.empty(), 4)));
    assertEquals(List.of("", "", ""), answers(run.workload(chat, 7, Optional.of(4), 4)));
    assertEquals(List.of("", "", ""), answers(run.workload(BYTES, 4)));
    assertEquals(
        "Rules.\nYou are the ann. Think.\none\nONE\ntwo\n",
        BYTES.decode(run.workload(BYTES, 4).requests().get(1).prompt()));
  }

  private static List<String> answers(Workload workload) {
    return workload.requests().stream().map(request -> request.answer().orElse("")).toList();
  }

  private static int longest(Workload workload) {
    int prompt = workload.requests().stream().mapToInt(r -> r.prompt().length).max().orElseThrow();
    return prompt + workload.newTokens();
  }

  @Test
  void theShippedRunIsFiftyRequestsOfAgentsWhoseContextsGrow() {
    AgenticRun run = AgenticRun.shipped();
    PromptFormat format = DemoPrompts.format();
    Workload workload = run.workload(format, run.systemTokens(format), Optional.empty(), 24);
    assertEquals(50, workload.requests().size());
    assertTrue(longest(workload) <= DemoPrompts.CONTEXT, longest(workload) + " tokens");
    PromptFormat bytes = PromptFormat.plain(BYTES);
    int inBytes = longest(run.workload(bytes, 1000, Optional.empty(), 24));
    assertTrue(inBytes <= 4096, inBytes + " bytes");
    Map<String, WorkloadRequest> last = new HashMap<>();
    int switches = 0;
    WorkloadRequest first = workload.requests().get(0);
    WorkloadRequest previous = first;
    for (WorkloadRequest request : workload.requests()) {
      int shared = request.sharedPrefixTokens();
      assertTrue(shared >= 700 && shared <= 1000, shared + " shared tokens");
      assertArrayEquals(
          Arrays.copyOf(first.prompt(), shared), Arrays.copyOf(request.prompt(), shared));
      int answer = format.passage(request.answer().orElseThrow()).tokens().length + 1;
      assertTrue(answer <= workload.newTokens(), request.answer().orElseThrow());
      WorkloadRequest before = last.put(request.group(), request);
      if (before != null) {
        int[] prompt = before.prompt();
        int grown = request.prompt().length - prompt.length;
        assertArrayEquals(prompt, Arrays.copyOf(request.prompt(), prompt.length));
        assertTrue(grown >= 10 && grown <= 60, grown + " tokens more");
      }
      switches += request.group().equals(previous.group()) ? 0 : 1;
      previous = request;
    }
    assertTrue(last.size() >= 5, last.keySet() + " are too few agents");
    assertTrue(switches >= 20, "agents take turns only " + switches + " times");
    DemoPrompts.assertSaidOnThePage(String.join("\n", run.system()), answers(workload));
  }
}
