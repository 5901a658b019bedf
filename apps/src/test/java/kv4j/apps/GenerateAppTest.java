package kv4j.apps;

import static kv4j.apps.Programs.run;
import static kv4j.apps.Programs.succeed;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import kv4j.apps.Programs.Outcome;
import kv4j.apps.report.Phase;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class GenerateAppTest {
  private static final ObjectMapper JSON = new ObjectMapper();

  @TempDir private Path folder;

  @ParameterizedTest
  @ValueSource(strings = {"stories260K.gguf", "stories260K.bin"})
  void givesTheTokensOfLlamaCpp(String file) throws IOException {
    JsonNode prompts = JSON.readTree(Programs.stories("golden.json").toFile()).get("prompts");
    List<String> model = new ArrayList<>(List.of("--model", Programs.stories(file).toString()));
    if (file.endsWith(".bin")) {
      model.addAll(List.of("--tokenizer", Programs.stories("tok512.bin").toString()));
    }
    for (JsonNode golden : prompts) {
      Path json = folder.resolve("out.json");
      List<String> args =
          new ArrayList<>(List.of("generate", "--threads", "1", "--temperature", "0"));
      args.addAll(model);
      args.addAll(List.of("--prompt", golden.get("prompt").asText(), "--new-tokens", "96"));
      args.addAll(List.of("--json", json.toString()));
      Outcome outcome = succeed("", args.toArray(String[]::new));
      JsonNode result = JSON.readTree(json.toFile());
      assertEquals(golden.get("promptTokens"), result.get("promptTokens"));
      assertEquals(golden.get("greedyTokens"), result.get("tokens"));
      assertEquals(result.get("text").asText() + "\n", outcome.out());
      assertEquals(0, result.get("cachedTokens").asInt(-1));
      assertTrue(result.get("ttftMs").asDouble() > 0);
      assertTrue(result.get("tokensPerSecond").asDouble() > 0);
      assertTrue(outcome.err().contains("of memory"), outcome.err());
      assertTrue(outcome.err().contains("new tokens, "), outcome.err());
    }
  }

  @Test
  void saysWhereTheTimeToTheFirstTokenWent() throws IOException {
    Path json = folder.resolve("out.json");
    Outcome outcome = tiny("", "--prompt Hello --new-tokens 2 --verbose --json " + json);
    JsonNode process = JSON.readTree(json.toFile()).get("process");
    double sum = 0;
    for (Phase phase : Phase.values()) {
      double ms = process.get("phasesMs").get(phase.key()).doubleValue();
      assertTrue(ms >= 0, process.toString());
      sum += ms;
      assertTrue(outcome.err().contains(" " + phase.label() + " "), outcome.err());
    }
    assertEquals(sum, process.get("firstTokenMs").doubleValue(), 1e-9);
    double ttft = JSON.readTree(json.toFile()).get("ttftMs").doubleValue();
    assertEquals(ttft, process.get("phasesMs").get("prefill").doubleValue());
    assertTrue(process.get("peakBytes").longValue() >= 0);
    assertFalse(tiny("", "--prompt Hello --new-tokens 2").err().contains("JVM start"));
  }

  /** To a second, as {@link ProcessHandle} knows it. */
  @Test
  void knowsWhenTheProcessStarted() throws IOException {
    Path json = folder.resolve("out.json");
    tiny("", "--prompt Hello --new-tokens 2 --json " + json);
    double ms = JSON.readTree(json.toFile()).at("/process/phasesMs/jvm").doubleValue();
    long age =
        ProcessHandle.current()
            .info()
            .startInstant()
            .map(start -> Duration.between(start, Instant.now()).toMillis())
            .orElseThrow();
    assertTrue(ms > 0 && ms < age + 1000, ms + " of " + age);
  }

  private static Outcome tiny(String in, String options) {
    return succeed(in, ("generate --threads 1 --model-preset tiny " + options).split(" "));
  }

  @Test
  void readsThePromptFromStandardInput() {
    String given = tiny("", "--prompt Hello --new-tokens 12").out();
    assertEquals(given, tiny("Hello\n", "--new-tokens 12").out());
    assertNotEquals(given, tiny("Hello!", "--new-tokens 12").out());
  }

  @Test
  void samplesBySeed() {
    String options = "--prompt Hello --new-tokens 20 --temperature 1 --top-k 50 --seed ";
    assertEquals(tiny("", options + "1").out(), tiny("", options + "1").out());
    assertNotEquals(tiny("", options + "1").out(), tiny("", options + "2").out());
    assertEquals(
        tiny("", "--prompt Hello --new-tokens 20").out(),
        tiny("", "--prompt Hello --new-tokens 20 --temperature 1 --top-k 1").out());
  }

  @Test
  void endsBeforeAStopText() {
    String whole = tiny("", "--prompt Hello --new-tokens 40").out();
    String stop = whole.substring(5, 6);
    int at = whole.indexOf(stop);
    Outcome cut =
        succeed(
            "",
            "generate",
            "--model-preset",
            "tiny",
            "--prompt",
            "Hello",
            "--stop",
            stop,
            "--stop",
            "never said");
    assertEquals(whole.substring(0, at) + "\n", cut.out());
  }

  @Test
  void theDemoModelTellsAStoryAtATerminal() {
    Outcome outcome = Programs.runTyped("", "generate", "--threads", "1");
    assertEquals(0, outcome.status(), outcome.err());
    assertTrue(outcome.err().contains("goes on from: Once there was a\n"), outcome.err());
    assertTrue(
        outcome.out().matches(" \\w+ \\w+ called \\w+, who lived by the .*\\.\n"), outcome.out());
    Outcome typed = Programs.runTyped("x", "generate", "--model-preset", "tiny");
    assertTrue(typed.err().startsWith("type what to continue"), typed.err());
  }

  @Test
  void whatDoesNotFitIsRefusedInOneSentence() {
    Outcome outcome = run("x".repeat(5000), "generate", "--model-preset", "tiny");
    assertEquals(2, outcome.status());
    assertEquals("", outcome.out());
    assertEquals(
        "kv4j: a prompt of 5001 tokens and 1 new do not fit the model's context of 4096 tokens\n",
        outcome.err());
    assertFalse(tiny("x".repeat(4090), "").out().isEmpty()); // as many as there is room for
  }
}
