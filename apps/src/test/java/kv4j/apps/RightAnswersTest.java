package kv4j.apps;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import kv4j.apps.Programs.Outcome;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The demo model answers the shipped workloads from a sound cache, and not from a broken one. */
class RightAnswersTest {
  private static final int REQUESTS = 3;

  @TempDir private Path folder;

  private JsonNode run(String command, int status) throws IOException {
    Path json = folder.resolve("report.json");
    String line = "%s --requests %d --json %s".formatted(command, REQUESTS, json);
    Outcome outcome = Programs.run("", line.split(" "));
    assertEquals(status, outcome.status(), outcome.err());
    String right = "%d of %d".formatted(right(json, 1), REQUESTS);
    assertTrue(outcome.out().contains(right), outcome.out());
    return new ObjectMapper().readTree(json.toFile());
  }

  private static int right(Path json, int row) throws IOException {
    return new ObjectMapper().readTree(json.toFile()).at("/rows/" + row + "/answers/right").asInt();
  }

  @ParameterizedTest
  @ValueSource(strings = {"compare", "workflow"})
  void cachedOrNot(String command) throws IOException {
    JsonNode report = run(command, 0);
    assertEquals("demo-32", report.at("/model/preset").asText());
    assertEquals(0, report.at("/rows/0/answers/asked").asInt(), "none has too few tokens");
    for (int row = 1; row < report.get("rows").size(); row++) {
      assertEquals(REQUESTS, report.at("/rows/" + row + "/answers/right").asInt(), "row " + row);
    }
    assertEquals(
        report.at("/requests/2/reply/expected").asText(),
        report.at("/requests/2/reply/cached").asText());
  }

  @Test
  void aBrokenCacheGetsThemWrong() throws IOException {
    Path csv = folder.resolve("report.csv");
    Path html = folder.resolve("report.html");
    JsonNode report =
        run("compare --cache faulty:part=keys:amount=2 --csv " + csv + " --html " + html, 3);
    JsonNode rows = report.get("rows");
    assertEquals(REQUESTS, rows.get(1).at("/answers/right").asInt());
    int right = rows.get(2).at("/answers/right").asInt();
    assertTrue(right < REQUESTS / 2, right + " right");
    String table = Files.readString(csv);
    assertEquals(REQUESTS - right, table.lines().filter(l -> l.endsWith(",false,true")).count());
    String expected = report.at("/requests/1/reply/expected").asText();
    assertTrue(Files.readString(html).contains("no: " + expected), expected);
  }

  @Test
  void aWorkloadWithoutAnswersHasNoRowOfThem() throws IOException {
    Path workload = folder.resolve("own.json");
    Files.writeString(
        workload, "{\"name\": \"n\", \"system\": \"Be kind.\", \"questions\": [\"Hello!\"]}");
    Outcome outcome =
        Programs.succeed("", ("compare --requests 1 --workload " + workload).split(" "));
    assertTrue(!outcome.out().contains("An answer is right"), outcome.out());
  }
}
