package kv4j.apps;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import kv4j.apps.Programs.Outcome;
import kv4j.apps.cli.Terminal;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** {@code --concurrency}: the same requests several at a time. */
class ConcurrencyTest {
  private static final int REQUESTS = 7;
  private static final String COMPARE =
      "compare --model-preset tiny --threads 1 --prefix-tokens 96 --suffix-tokens 40"
          + " --new-tokens 5 --requests "
          + REQUESTS;
  private static final String WORKFLOW =
      "workflow --model-preset tiny --threads 1 --prefix-tokens 64 --suffix-tokens 40"
          + " --new-tokens 5 --also none --requests "
          + REQUESTS;

  @TempDir private Path folder;

  private Outcome run(String line) {
    return Programs.run("", line.split(" "));
  }

  private JsonNode json(String line) throws IOException {
    Path file = folder.resolve("report.json");
    Outcome outcome = run(line + " --json " + file);
    assertEquals(0, outcome.status(), outcome.err());
    return new ObjectMapper().readTree(file.toFile());
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        COMPARE + " --concurrency 3",
        COMPARE + " --concurrency 7 --repeat 2",
        COMPARE + " --concurrency 2 --cache request",
        COMPARE + " --concurrency 4 --cache simple --cache-dtype i8",
        COMPARE + " --concurrency 4 --max-bytes 320KiB",
        WORKFLOW + " --concurrency 4",
        WORKFLOW + " --concurrency 2 --namespace acme --salt x",
      })
  void givesTheSameTokensAndCountsAllOfThem(String line) throws IOException {
    JsonNode report = json(line);
    JsonNode concurrent = report.get("concurrent");
    assertTrue(concurrent.get("identicalTokens").booleanValue());
    assertEquals(0, report.get("faults").size());
    JsonNode alone = concurrent.get("oneAtATime");
    JsonNode several = concurrent.get("atOnce");
    long prompt = several.get("promptTokens").longValue();
    assertEquals(alone.get("promptTokens").longValue(), prompt);
    assertEquals(
        prompt,
        several.get("cachedTokens").longValue()
            + concurrent.get("computedPromptTokens").longValue());
    assertEquals(REQUESTS * 5, several.get("generatedTokens").longValue());
    assertEquals(REQUESTS * 5, alone.get("generatedTokens").longValue());
    JsonNode cached = report.get("rows").get(report.get("rows").size() - 1);
    assertEquals(cached.get("tokenHitRate"), alone.get("tokenHitRate"));
    assertEquals(cached.get("totalLatencyMs"), alone.get("totalMs"));
    double seconds = several.get("totalMs").doubleValue() / 1000;
    assertEquals(prompt / seconds, several.get("promptTokensPerSecond").doubleValue(), 1e-6);
    assertTrue(
        several.at("/ttftMs/max").doubleValue() <= several.at("/latencyMs/max").doubleValue());
    if (!line.contains("--repeat")) {
      assertTrue(several.at("/latencyMs/max").doubleValue() <= 1000 * seconds);
    }
  }

  /** Whoever comes second waits for what it shares with the first, and does not compute it. */
  @Test
  void findsAsMuchInTheCacheAsOneAtATime() throws IOException {
    JsonNode concurrent = json(COMPARE + " --concurrency 7").get("concurrent");
    assertEquals(
        concurrent.at("/oneAtATime/cachedTokens").longValue(),
        concurrent.at("/atOnce/cachedTokens").longValue(),
        (REQUESTS - 1) * 16.0); // whole blocks only are shared while they are computed
    assertTrue(concurrent.at("/atOnce/cachedTokens").longValue() >= (REQUESTS - 1) * 80);
  }

  @Test
  void passesAreShared() throws IOException {
    long passes = json(COMPARE + " --concurrency 7").at("/concurrent/passes").longValue();
    int tokens = REQUESTS * 5;
    assertTrue(passes >= 5 && passes < tokens, passes + " passes for " + tokens + " tokens");
  }

  @Test
  void saysSoInASectionOfItsOwn() {
    Outcome outcome = run(COMPARE + " --concurrency 3");
    assertEquals(0, outcome.status(), outcome.err());
    assertTrue(outcome.out().contains("\n3 at a time, identical tokens: yes\n"), outcome.out());
    assertTrue(outcome.out().contains("\n one at a time "), outcome.out());
    outcome.out().lines().forEach(line -> assertTrue(line.length() <= Terminal.COLUMNS, line));
  }

  @ParameterizedTest
  @ValueSource(strings = {"", " --concurrency 1"})
  void oneAtATimeIsAsEver(String more) throws IOException {
    assertFalse(json(COMPARE + more).has("concurrent"));
    assertFalse(run(COMPARE + more).out().contains("at a time"));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "0 | --concurrency must be at least 1, not 0",
        "-2 | --concurrency must be at least 1, not -2",
        "65 | --concurrency must be at most 64, not 65",
        "many | --concurrency must be a whole number, not \"many\"",
        "8 | 8 requests at a time are more than the workload's 7",
        "2 --max-bytes 70KiB | the cache radix has a size limit of 71680 bytes, too small for",
      })
  void refusesWhatMakesNoSense(String value, String message) {
    Outcome outcome = run(COMPARE + " --concurrency " + value);
    assertEquals(2, outcome.status(), outcome.err());
    assertTrue(outcome.err().contains("kv4j: " + message), outcome.err());
    assertEquals("", outcome.out());
  }

  @Test
  void refusesCachesOfOthers() throws IOException {
    Path plugin = ForgetfulCacheProvider.plugin(folder.resolve("plugin"));
    for (String cache : List.of("forgetful", "faulty:over=forgetful")) {
      String line = COMPARE + " --concurrency 2 --cache " + cache + " --plugins " + plugin;
      Outcome outcome = run(line + " --plugins target/classes");
      assertEquals(2, outcome.status(), outcome.err());
      assertTrue(
          outcome.err().contains("--concurrency needs a cache that is in the jar, not " + cache),
          outcome.err());
    }
  }
}
