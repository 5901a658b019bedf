package kv4j.apps.report;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import kv4j.apps.cli.Terminal;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class JsonFileTest {
  private static final Terminal TERMINAL =
      new Terminal(
          new PrintStream(OutputStream.nullOutputStream()),
          new PrintStream(OutputStream.nullOutputStream()),
          false,
          false);

  @TempDir private Path folder;

  private JsonNode written() throws IOException {
    Path file = folder.resolve("report.json");
    JsonFile.of(file.toString(), List.of(), TERMINAL)
        .write(JsonFile.document(Reports.INFO, Reports.wide()));
    return new ObjectMapper().readTree(file.toFile());
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "/model/preset",
        "/model/layers",
        "/model/parameters",
        "/backend/name",
        "/backend/blas",
        "/backend/threads",
        "/backend/device",
        "/rows/2/cache",
        "/rows/2/requests",
        "/rows/2/ttftMs/median",
        "/rows/2/ttftMs/p95",
        "/rows/2/latencyMs/median",
        "/rows/2/latencyMs/p95",
        "/rows/2/promptTokensPerSecond",
        "/rows/2/outputTokensPerSecond",
        "/rows/2/tokenHitRate",
        "/rows/2/requestHitRate",
        "/rows/2/layerHitRate",
        "/rows/2/cacheBytes",
        "/speedup/ttft",
        "/speedup/latency",
        "/speedup/throughput",
        "/ceiling/ttft",
        "/ceiling/latency",
        "/ceiling/throughput",
        "/workCeiling/ttft",
        "/workCeiling/throughput",
        "/expectedTokenHitRate",
        "/secondsSaved",
        "/identicalTokens",
        "/maxLogitDifference",
        "/groups/0/group",
        "/requests/1/ttftMs",
        "/requests/1/generated/0",
        "/spoiled/0/answers",
        "/layerHits/31",
        "/layerLookups/31",
        "/missReasons/cold",
        "/rounding/dtype",
        "/faults/0"
      })
  void hasEveryField(String pointer) throws IOException {
    assertTrue(written().at(pointer).isValueNode(), pointer);
    assertTrue(!written().at(pointer).isNull(), pointer);
  }

  @Test
  void keepsFullPrecision() throws IOException {
    assertEquals(0.975, written().at("/rows/2/tokenHitRate").doubleValue());
    assertEquals(9_876.54321, written().at("/rows/2/ttftMs/median").doubleValue());
    assertEquals(987_654_321_012L, written().at("/rows/2/cacheBytes").longValue());
    assertEquals(3.25e-6, written().at("/maxLogitDifference").doubleValue());
  }

  @Test
  void isNullWhereNothingIsKnown() throws IOException {
    assertTrue(written().at("/workCeiling/latency").isNull());
  }

  @Test
  void replacesWhatWasThere() throws IOException {
    Files.writeString(folder.resolve("report.json"), "old");
    assertEquals("demo-32", written().at("/model/preset").textValue());
  }

  @Test
  void refusesWhatCannotBeWritten() {
    Path nowhere = folder.resolve("missing").resolve("report.json");
    for (Path path : List.of(nowhere, folder)) {
      assertThrows(
          IllegalArgumentException.class, () -> JsonFile.of(path.toString(), List.of(), TERMINAL));
    }
  }
}
