package kv4j.apps.scale;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import kv4j.cache.EvictionPolicy;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class TraceTest {
  private static final String LINE =
      "{\"timestamp\": 27482, \"input_length\": 1300, \"output_length\": 52, \"hash_ids\": [46, 47, 9]}\n";

  @TempDir private Path folder;

  private Path file(String text) throws IOException {
    return Files.writeString(folder.resolve("trace.jsonl"), text);
  }

  @Test
  void readsPublishedTraces() throws IOException {
    Trace trace = Trace.read(file(LINE + LINE.replace("27482", "5")));
    assertEquals(512, trace.blockTokens());
    TraceRequest last = trace.requests().get(1);
    assertEquals(27.482, last.seconds());
    assertEquals(1300, last.promptTokens());
    assertArrayEquals(new int[] {46, 47, 9}, last.prompt());
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "{}",
        "[1]",
        "nothing",
        "{\"timestamp\": 1, \"input_length\": 3}",
        "{\"timestamp\": 1, \"input_length\": 3, \"hash_ids\": null}",
        "{\"timestamp\": 1, \"input_length\": 3, \"hash_ids\": []}",
        "{\"timestamp\": -1, \"input_length\": 3, \"hash_ids\": [1]}",
        "{\"timestamp\": 1, \"input_length\": 0, \"hash_ids\": [1]}"
      })
  void refusesOthers(String line) throws IOException {
    Path file = file(line.isEmpty() ? "" : LINE + line);
    String message =
        assertThrows(IllegalArgumentException.class, () -> Trace.read(file)).getMessage();
    assertEquals(
        "%s, line %d: it is not a request with timestamp, input_length and hash_ids"
            .formatted(file, line.isEmpty() ? 1 : 2),
        message);
  }

  /** Table 2 of the paper: mean prompts of 12,035 and 8,596 tokens, of which 40 and 59 % repeat. */
  @Test
  void shapesAreAsPublished() {
    check(TraceShape.CONVERSATION.draw(12_031, 12_031 / 3_537.0, 1), 12_035, 0.40);
    check(TraceShape.TOOL_AGENT.draw(23_608, 6.5, 1), 8_596, 0.59);
  }

  private static void check(Trace trace, double promptTokens, double cacheRatio) {
    assertEquals(promptTokens, trace.meanPromptTokens(), 0.05 * promptTokens);
    FleetConfig endless =
        new FleetConfig(
            1,
            Routing.TURNS,
            1,
            Long.MAX_VALUE,
            EvictionPolicy.Standard.LRU,
            Optional.empty(),
            1,
            1e9);
    assertEquals(cacheRatio, Simulation.run(trace, endless).memoryHitRate(), 0.04);
  }

  @Test
  void aSeedAlwaysDrawsTheSame() {
    Trace first = TraceShape.CONVERSATION.draw(50, 1, 7);
    Trace again = TraceShape.CONVERSATION.draw(50, 1, 7);
    Trace other = TraceShape.CONVERSATION.draw(50, 1, 8);
    assertEquals(first.meanPromptTokens(), again.meanPromptTokens());
    assertTrue(first.meanPromptTokens() != other.meanPromptTokens());
  }
}
