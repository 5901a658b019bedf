package kv4j.apps;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import kv4j.apps.Programs.Outcome;
import org.junit.jupiter.api.Test;

/** A sample of the examination that the demo model passed when it was made. */
class EvalAppTest {
  private static Outcome eval(String more) {
    return Programs.run("", ("eval " + more).split(" "));
  }

  private static JsonNode json(String more) throws IOException {
    Outcome outcome = eval(more + " --json -");
    assertEquals(0, outcome.status(), outcome.err());
    return new ObjectMapper().readTree(outcome.out());
  }

  @Test
  void theDemoModelAnswersFromPagesThatItHasNeverSeen() throws IOException {
    JsonNode report = json("--pages 8 --facts 20 --seed 7");
    int asked = 0;
    int right = 0;
    for (JsonNode row : report.get("rows")) {
      asked += row.get("asked").intValue();
      right += row.get("right").intValue();
    }
    assertEquals(8 * (3 + 1 + 6), asked);
    assertTrue(right >= 0.95 * asked, right + " of " + asked);
    double cached = report.get("cachedTokens").doubleValue();
    assertTrue(cached / report.get("promptTokens").doubleValue() > 0.8, report.toString());
  }

  @Test
  void answersAreTheSameWithoutACache() throws IOException {
    JsonNode uncached = json("--pages 2 --cache request");
    assertEquals(json("--pages 2").get("rows"), uncached.get("rows"));
    assertEquals(0, uncached.get("cachedTokens").intValue());
  }

  @Test
  void seedsGiveOtherPages() throws IOException {
    JsonNode one = json("--pages 1 --seed 1");
    assertEquals(one.get("promptTokens"), json("--pages 1 --seed 1").get("promptTokens"));
    assertTrue(!one.get("promptTokens").equals(json("--pages 1 --seed 2").get("promptTokens")));
  }

  @Test
  void refusesWhatItCannotExamine() {
    Outcome tooLong = eval("--pages 1 --facts 60 --others 200");
    assertEquals(2, tooLong.status());
    assertTrue(tooLong.err().contains("but the context is 2048"), tooLong.err());
    Outcome noTemplate = Programs.run("", "eval", "--model-preset", "tiny");
    assertEquals(2, noTemplate.status());
    assertTrue(
        noTemplate.err().contains("eval needs a model with a chat template, which tiny lacks"),
        noTemplate.err());
  }
}
