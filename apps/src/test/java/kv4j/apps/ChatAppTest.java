package kv4j.apps;

import static kv4j.apps.Programs.run;
import static kv4j.apps.Programs.succeed;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import kv4j.apps.Programs.Outcome;
import org.junit.jupiter.api.Test;

class ChatAppTest {
  private static final String[] TINY = {
    "chat", "--threads", "1", "--model-preset", "tiny", "--system", "Be brief.", "--new-tokens", "8"
  };
  private static final Pattern SUMMARY = Pattern.compile("prompt (\\d+) tokens, (\\d+) of them");

  private static List<int[]> prompts(Outcome outcome) {
    return SUMMARY.matcher(outcome.err()).results().map(ChatAppTest::numbers).toList();
  }

  private static int[] numbers(MatchResult match) {
    return new int[] {Integer.parseInt(match.group(1)), Integer.parseInt(match.group(2))};
  }

  @Test
  void reusesItsOwnPast() {
    Outcome outcome = succeed("Hello\n\nHow are you?\n/exit\nnever asked\n", TINY);
    List<int[]> prompts = prompts(outcome);
    assertEquals(2, prompts.size(), outcome.err());
    int first = "system: Be brief.\nuser: Hello\nassistant:".length() + 1;
    assertEquals(first, prompts.get(0)[0]);
    assertEquals(0, prompts.get(0)[1]);
    assertTrue(prompts.get(1)[1] >= first, outcome.err());
  }

  @Test
  void showsWhatIsKept() {
    Outcome outcome = succeed("Hello\n/stats\n/tree\n", TINY);
    assertTrue(outcome.out().contains("1 prompts of 41 tokens, 0 of them cached"), outcome.out());
    assertTrue(outcome.out().contains("system: Be brief."), outcome.out());
  }

  @Test
  void aConversationThatIsTooLongEndsInOneSentence() {
    Outcome outcome = run("Hello\n" + "x".repeat(4000) + "\n" + "y".repeat(200) + "\n", TINY);
    assertEquals(2, outcome.status());
    assertEquals(2, prompts(outcome).size());
    String last = outcome.err().lines().reduce((a, b) -> b).orElseThrow();
    assertTrue(last.startsWith("kv4j: a prompt of 4"), last);
    assertTrue(last.endsWith("do not fit the model's context of 4096 tokens"), last);
  }
}
