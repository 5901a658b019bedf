package kv4j.apps;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import kv4j.apps.Programs.Outcome;
import kv4j.apps.cli.Terminal;
import kv4j.apps.lesson.Lessons;
import org.junit.jupiter.api.Test;

class LessonAppTest {
  private static final String BITS = "lesson bits --model-preset tiny --threads 1";

  @Test
  void withoutANameTheyAreListed() {
    Outcome list = Programs.succeed("", "lesson");
    Lessons.names().forEach(name -> assertTrue(list.out().contains(" " + name), list.out()));
    assertTrue(
        Programs.succeed("", "lesson", "--help").out().startsWith("usage: kv4j lesson [NAME]"));
  }

  @Test
  void thePipedOneGoesOnByItself() {
    Outcome outcome = Programs.succeed("", BITS.split(" "));
    assertTrue(outcome.out().startsWith("Fewer bits\n\nAt the end: "), outcome.out());
    assertTrue(outcome.out().contains("== How far the first token's logits move =="));
    assertTrue(outcome.out().endsWith("\n  ./kv4j compare --quick --cache-dtype i8\n"));
    assertEquals("", outcome.err());
  }

  @Test
  void atATerminalEachStepWaitsForAKey() {
    ByteArrayOutputStream both = new ByteArrayOutputStream();
    ByteArrayInputStream keys =
        new ByteArrayInputStream("\n\n\n\n".getBytes(StandardCharsets.UTF_8));
    PrintStream out = new PrintStream(both, true, StandardCharsets.UTF_8);
    Terminal terminal = new Terminal(keys, out, out, true, true, true);
    assertEquals(0, Main.run(BITS.split(" "), terminal));
    String text = both.toString(StandardCharsets.UTF_8);
    int first = text.indexOf("== The same answer");
    int wait = text.indexOf("-- press Enter to go on --");
    assertTrue(first >= 0 && first < wait && wait < text.indexOf("== How far"), text);
    assertEquals(3, keys.available(), "one key for two steps");
  }

  @Test
  void jsonHasAllOfIt() throws Exception {
    Outcome outcome = Programs.succeed("", (BITS + " --json -").split(" "));
    JsonNode lesson = new ObjectMapper().readTree(outcome.out());
    assertEquals("bits", lesson.at("/name").asText());
    assertEquals("table", lesson.at("/steps/0/parts/1/kind").asText());
    assertEquals("f32", lesson.at("/steps/0/parts/1/rows/0/0").asText());
    assertEquals("chart", lesson.at("/steps/1/parts/0/kind").asText());
    assertEquals(4, lesson.at("/steps/1/parts/0/chart/series/0/values").size());
    assertTrue(outcome.err().contains("== The same answer"), outcome.err());
  }

  @Test
  void othersAreRefused() {
    Outcome outcome = Programs.run("", "lesson", "tea");
    assertEquals(2, outcome.status());
    assertTrue(outcome.err().startsWith("kv4j: there is no lesson \"tea\"; there are attention, "));
    assertEquals(2, Programs.run("", "lesson", "bits", "fault").status());
  }
}
