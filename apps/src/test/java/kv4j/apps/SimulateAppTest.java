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
import org.junit.jupiter.params.provider.CsvSource;

class SimulateAppTest {
  private static final String SMALL = "simulate --shape tool-agent --nodes 4 --requests 50";

  @TempDir private Path folder;

  /** Rows are: turns, prefix and bounded, each without and with a store. */
  private static JsonNode rows(String line) throws IOException {
    String out = Programs.succeed("", (line + " --json -").split(" ")).out();
    return new ObjectMapper().readTree(out).get("rows");
  }

  @Test
  void aRowForEachFleet() throws IOException {
    JsonNode rows = rows("simulate --nodes 1,4 --requests 50");
    assertEquals(2 + 6, rows.size());
    assertEquals(50, rows.get(0).get("requests").intValue(), 25);
    assertEquals(0, rows.get(2).get("storeHitRate").doubleValue());
    assertTrue(rows.get(3).get("storeHitRate").doubleValue() > 0);
    assertEquals(rows, rows("simulate --nodes 1,4 --requests 50"));

    String text = Programs.succeed("", "simulate", "--nodes", "1,4", "--requests", "50").out();
    assertEquals(8, text.lines().filter(line -> line.matches(" +[14] \\|.*")).count(), text);
  }

  /** Each option makes the figure larger that it should. */
  @ParameterizedTest
  @CsvSource({
    "--max-bytes 4GiB, --max-bytes 1GiB, 0, memoryHitRate",
    "--store-bytes 64GiB, --store-bytes 1GiB, 1, storeHitRate",
    "--network 4GB, --network 1MB, 1, storeHitRate",
    "--load 200, --load 60, 0, ttftSecondsMedian",
    "--prefill-rate 100, --prefill-rate 3000, 0, ttftSecondsMedian",
    "--token-bytes 256KiB, --token-bytes 8KiB, 0, ttftSecondsMedian",
    "--hash-tokens 512, --hash-tokens 100000, 2, memoryHitRate",
    "--store-owners 1, --store-owners 4, 1, readBytesPerSecond",
    "--policy lfu, --policy lru, 0, memoryHitRate",
    "--seed 1, --seed 2, 0, memoryHitRate",
  })
  void optionsDoWhatTheySay(String more, String less, int row, String figure) throws IOException {
    double larger = rows(SMALL + " " + more).get(row).get(figure).doubleValue();
    double smaller = rows(SMALL + " " + less).get(row).get(figure).doubleValue();
    assertTrue(larger > smaller, larger + " and " + smaller);
  }

  @Test
  void runsARecordedTrace() throws IOException {
    Path file = folder.resolve("trace.jsonl");
    String line = "{\"timestamp\": %d, \"input_length\": 1200, \"hash_ids\": [1, 2, %d]}%n";
    Files.writeString(file, line.formatted(0, 3) + line.formatted(9000, 4));
    JsonNode row = rows("simulate --nodes 1 --trace " + file).get(0);
    assertEquals(1024 / 2400.0, row.get("memoryHitRate").doubleValue());
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "--nodes 0 | --nodes must be at least 1",
        "--nodes 1, | --nodes must be a whole number",
        "--shape chat | --shape must be one of",
        "--trace none.jsonl | there is no trace none.jsonl",
        "--network 0GB | --network must be more than 0",
      })
  void refusesWhatItCannotDo(String options, String why) {
    Outcome outcome = Programs.run("", ("simulate " + options).split(" "));
    assertEquals(2, outcome.status(), outcome.err());
    assertTrue(outcome.err().contains(why), outcome.err());
    assertEquals(1, outcome.err().strip().lines().count(), outcome.err());
  }
}
