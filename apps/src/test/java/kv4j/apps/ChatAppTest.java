package kv4j.apps;

import static kv4j.apps.Programs.run;
import static kv4j.apps.Programs.succeed;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.List;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import kv4j.apps.Programs.Outcome;
import kv4j.apps.chat.ChatLoop;
import kv4j.apps.workload.PromptSet;
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
    // What the model wrote after the first prompt is known too, but for its last token.
    assertEquals(first + 8 - 1, prompts.get(1)[1], outcome.err());
    assertTrue(outcome.err().contains(" cached, 7 of these of earlier answers; "), outcome.err());
  }

  @Test
  void saysWhichAnswersAFaultyCacheSpoiled() {
    String[] faulty = Arrays.copyOf(TINY, TINY.length + 2);
    faulty[TINY.length] = "--cache";
    faulty[TINY.length + 1] = "faulty:layer=1";
    List<String> lines = succeed("Hello\nHow are you?\n", faulty).err().lines().toList();
    String spoiled = "; spoiled on purpose: values of layer 1, all heads, all tokens, moved by 0.5";
    assertEquals(List.of(false, true), lines.stream().map(line -> line.contains(spoiled)).toList());
  }

  @Test
  void tellsWhichCommandsThereAre() {
    Outcome outcome = succeed("/help\n/hepl me\n /stats of what\n", TINY);
    for (String command : ChatLoop.commands()) {
      assertTrue(outcome.out().contains(command + " "), outcome.out());
    }
    assertTrue(outcome.err().contains("kv4j: there is no command /hepl; there are /help, "));
    assertEquals(1, prompts(outcome).size(), outcome.err()); // a message, after a space
  }

  @Test
  void theDemoModelHasAPageToAskAbout() {
    PromptSet page = PromptSet.shipped();
    List<PromptSet.Question> two = page.questions().subList(0, 2);
    Outcome outcome = succeed(two.get(0).text() + "\n" + two.get(1).text() + "\n/system\n", "chat");
    List<String> said = outcome.out().lines().toList();
    assertEquals(two.get(0).answer().orElseThrow(), said.get(0));
    assertEquals(two.get(1).answer().orElseThrow(), said.get(1));
    assertEquals(page.system(), said.subList(2, said.size()));
    assertEquals("Be brief.\n", succeed("/system\n", "chat", "--system", "Be brief.").out());
    assertEquals(
        "there is no system message\n",
        succeed("/system\n", "chat", "--model-preset", "tiny").out());
  }

  @Test
  void clearBeginsAnewWithWhatTheCacheHas() {
    List<int[]> prompts = prompts(succeed("Hello\nMore\n/clear\nHello\n", TINY));
    assertEquals(prompts.get(0)[0], prompts.get(2)[0]);
    assertEquals(prompts.get(0)[0] - 1, prompts.get(2)[1]);
  }

  @Test
  void showsWhatIsKept() {
    Outcome outcome = succeed("Hello\n/stats\n/tree\n", TINY);
    assertTrue(outcome.out().contains("1 prompts of 41 tokens, 0 of them cached"), outcome.out());
    assertTrue(outcome.out().contains("system: Be brief."), outcome.out());
  }

  @Test
  void aFullContextGoesOnWithoutTheOldestExchanges() {
    String line = "x".repeat(900) + "\n";
    Outcome outcome = succeed(line.repeat(5) + "Well?\n", TINY);
    List<int[]> prompts = prompts(outcome);
    assertEquals(6, prompts.size());
    assertTrue(prompts.get(3)[0] > 4 * 900, outcome.err());
    // A fifth is over 4096; with three, a quarter is free.
    assertTrue(
        outcome.err().contains("the conversation goes on without its 2 oldest exchanges"),
        outcome.err());
    assertTrue(prompts.get(4)[0] > 3 * 900 && prompts.get(4)[0] + 8 <= 3072, outcome.err());
    assertTrue(prompts.get(4)[1] >= "system: Be brief.\nuser: x".length(), outcome.err());
    assertTrue(prompts.get(5)[1] >= prompts.get(4)[0], outcome.err()); // and caches as before
  }

  @Test
  void aMessageThatDoesNotFitIsLeftOutAndTheConversationGoesOn() {
    Outcome outcome = run("Hello\n" + "x".repeat(4090) + "\nHow are you?\n", TINY);
    List<int[]> prompts = prompts(outcome);
    assertEquals(2, prompts.size(), outcome.err());
    assertEquals(prompts.get(0)[0] + 8 - 1, prompts.get(1)[1]);
    List<String> complaints =
        outcome.err().lines().filter(line -> line.startsWith("kv4j: ")).toList();
    assertTrue(complaints.get(0).startsWith("kv4j: the message takes 41"), complaints.get(0));
    assertEquals("kv4j: 1 of 3 messages were left out, as said above", complaints.get(1));
    assertEquals(2, outcome.status()); // nobody was there to see it
  }
}
