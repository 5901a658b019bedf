package kv4j.apps;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import kv4j.apps.Programs.Outcome;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Options that a program would survive ignoring: each is seen to do what it says. */
class OptionEffectsTest {
  private static final String SMALL =
      "compare --model-preset tiny --requests 6 --prefix-tokens 96 --suffix-tokens 40 --new-tokens 2";

  @TempDir private Path folder;

  private static Outcome run(String line) {
    return Programs.run("", line.split(" "));
  }

  private static JsonNode json(String line) throws IOException {
    Outcome outcome = run(line + " --json -");
    assertEquals(0, outcome.status(), outcome.err());
    return new ObjectMapper().readTree(outcome.out());
  }

  private static double hitRate(String more) throws IOException {
    return json(SMALL + more).at("/rows/2/tokenHitRate").doubleValue();
  }

  private static String tree(String more) {
    Outcome outcome = run(SMALL + " --show-tree" + more);
    assertEquals(0, outcome.status(), outcome.err());
    return outcome.out().substring(outcome.out().indexOf(" blocks, "));
  }

  @Test
  void timeToLive() throws IOException {
    assertTrue(hitRate("") > 0.5);
    assertEquals(0, hitRate(" --ttl 1ms"));
    assertTrue(hitRate(" --ttl 1h") > 0.5);
  }

  @Test
  void cacheDtype() throws IOException {
    JsonNode whole = json(SMALL);
    JsonNode rounded = json(SMALL + " --cache-dtype i8");
    assertTrue(whole.at("/rounding").isNull());
    assertEquals("i8", rounded.at("/rounding/dtype").textValue());
    double ratio =
        whole.at("/rows/2/cacheBytes").doubleValue()
            / rounded.at("/rows/2/cacheBytes").doubleValue();
    assertTrue(ratio > 3 && ratio < 4, ratio + " times fewer bytes");
  }

  /** Agents that take turns: what was found most often is not what is needed next. */
  @Test
  void policyAndSizeLimit() throws IOException {
    String agents =
        "workflow --model-preset tiny --requests 16 --new-tokens 2 --also none --suffix-tokens 40"
            + " --prefix-tokens 64 --max-bytes 320KiB --policy ";
    JsonNode recent = json(agents + "lru").at("/rows/3");
    JsonNode frequent = json(agents + "lfu").at("/rows/3");
    assertNotEquals(recent.get("tokenHitRate"), frequent.get("tokenHitRate"));
    assertTrue(recent.get("cacheBytes").longValue() <= 320 << 10);
  }

  @Test
  void namespaceAndSalt() {
    assertTrue(tree("").contains("\n(default namespace)\n"));
    assertTrue(tree(" --namespace acme").contains("\nacme\n"));
    assertTrue(tree(" --namespace acme --salt x").contains("\nacme (salted)\n"));
  }

  @Test
  void blockSize() throws IOException {
    long small = json(SMALL).at("/rows/2/cacheBytes").longValue();
    long large = json(SMALL + " --block-size 64").at("/rows/2/cacheBytes").longValue();
    assertTrue(large > small, "last blocks are less full: " + large + ", not " + small);
    assertEquals(0, large % (64 * 2 * 2 * 2 * 16 * 4)); // K and V, 2 layers, 2 heads of 16 floats
  }

  @Test
  void showTree() {
    assertFalse(run(SMALL).out().contains(" hits, "));
    assertTrue(tree("").contains(" hits, "));
    assertTrue(tree(" --cache simple").contains(" hits, "));
  }

  private static List<Integer> tokens(String more) throws IOException {
    List<Integer> tokens = new ArrayList<>();
    json("generate --model-preset tiny --prompt Once --new-tokens 40" + more)
        .get("tokens")
        .forEach(token -> tokens.add(token.intValue()));
    return tokens;
  }

  /** As hot as this, all tokens are about equally likely: only what the option leaves counts. */
  @Test
  void sampling() throws IOException {
    List<Integer> greedy = tokens("");
    String hot = " --temperature 1000 --seed 5";
    List<Integer> free = tokens(hot);
    assertNotEquals(greedy, free);
    assertEquals(greedy, tokens(hot + " --top-p 0.0001"));
    assertEquals(greedy, tokens(hot + " --min-p 1"));
    assertEquals(greedy, tokens(hot + " --top-k 1"));
    assertNotEquals(free, tokens(" --temperature 1000 --seed 6"));
  }

  @Test
  void repeatPenalty() throws IOException {
    Set<Integer> greedy = new HashSet<>(tokens(""));
    List<Integer> penalized = tokens(" --repeat-penalty 1000000");
    assertTrue(greedy.size() < 40, "nothing is repeated without it");
    assertEquals(40, new HashSet<>(penalized).size());
  }

  @Test
  void wrongAnswersAreTheirOwnStatus() throws IOException {
    for (String cache :
        List.of(" --cache faulty", " --also faulty:amount=9", " --also simple,faulty:layer=1")) {
      Path file = folder.resolve("report.json");
      Outcome outcome = run(SMALL + cache + " --json " + file);
      assertEquals(3, outcome.status(), outcome.err());
      String last = outcome.err().lines().reduce((first, second) -> second).orElseThrow();
      assertTrue(last.startsWith("kv4j: WRONG ANSWERS: "), outcome.err());
      assertTrue(last.contains(" spoiled 5 answers on purpose: values of "), last);
      assertTrue(outcome.out().contains("WRONG ANSWERS: "), outcome.out());
      JsonNode report = new ObjectMapper().readTree(file.toFile());
      assertFalse(report.get("faults").isEmpty());
    }
    assertEquals(0, json(SMALL).get("faults").size());
  }

  @Test
  void oneColdRequestGivesNoSpeedup() {
    Outcome one = run(SMALL.replace("--requests 6", "--requests 1"));
    assertEquals(0, one.status(), one.err());
    assertTrue(one.out().contains("No speedup: the only request was cold"), one.out());
    assertFalse(one.out().contains("time saved"), one.out());
    assertTrue(run(SMALL).out().contains("Speedup of radix over request"));
  }

  @Test
  void whereJsonGoes() throws IOException {
    Outcome piped = run(SMALL + " --json -");
    assertTrue(piped.out().startsWith("{"), piped.out());
    assertTrue(piped.err().contains("token hit rate"), piped.err());
    Path file = folder.resolve("out.json");
    Outcome written = run(SMALL + " --json " + file);
    assertTrue(written.err().contains("wrote " + file + ", "), written.err());
    assertTrue(written.out().contains("token hit rate"), written.out());
    assertEquals(2, Programs.run("", "compare", "--json", "").status());
  }

  @Test
  void contextBeyondTheModelIsTold() {
    Outcome outcome =
        Programs.succeed(
            "",
            "generate",
            "--model",
            Programs.stories("stories260K.gguf").toString(),
            "--context",
            "4096",
            "--prompt",
            "Once",
            "--new-tokens",
            "2");
    assertTrue(
        outcome
            .err()
            .contains(
                "--context 4096 is beyond the model's own context of 512 tokens, which counts"),
        outcome.err());
  }

  @Test
  void shorterTextsThanAskedForAreTaken() throws IOException {
    String cut = "--suffix-tokens 40";
    JsonNode some = json(SMALL).at("/requests");
    JsonNode all = json(SMALL.replace(cut, "--suffix-tokens 2000")).at("/requests");
    JsonNode few = json(SMALL.replace(cut, "--suffix-tokens 5")).at("/requests");
    assertEquals(all.size(), few.size());
    for (int i = 0; i < all.size(); i++) {
      int whole = all.get(i).get("promptTokens").intValue();
      int prefix = few.get(i).get("promptTokens").intValue() - 5;
      assertTrue(whole > prefix + 20, whole + " after " + prefix);
      assertEquals(Math.min(whole, prefix + 40), some.get(i).get("promptTokens").intValue());
    }
  }
}
