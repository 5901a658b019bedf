package kv4j.apps;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import kv4j.apps.cli.Terminal;
import kv4j.apps.report.Phase;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class BenchAppTest {
  @TempDir private Path folder;
  private String out;
  private String err;

  private JsonNode bench(String options) throws IOException {
    Path json = folder.resolve("bench.json");
    ByteArrayOutputStream outBytes = new ByteArrayOutputStream();
    ByteArrayOutputStream errBytes = new ByteArrayOutputStream();
    Terminal terminal =
        new Terminal(new PrintStream(outBytes), new PrintStream(errBytes), false, false);
    String arguments = "bench --quick --repeat 2 --json " + json + " " + options;
    int status = Main.run(arguments.split(" "), terminal);
    out = outBytes.toString(StandardCharsets.UTF_8);
    err = errBytes.toString(StandardCharsets.UTF_8);
    assertEquals(0, status, err);
    for (String line : out.split("\n")) {
      assertTrue(line.length() <= Terminal.COLUMNS, line);
    }
    return new ObjectMapper().readTree(json.toFile());
  }

  @Test
  void timesThreePassesBesideTheLimits() throws IOException {
    JsonNode report =
        bench("--model-preset tiny --compare none --threads 1 --prefill-chunk 128 --verbose");
    for (String pass : new String[] {"decode", "warm480_32", "prefill512"}) {
      double min = report.at("/" + pass + "/min").doubleValue();
      double median = report.at("/" + pass + "/median").doubleValue();
      assertTrue(min > 0 && median >= min, report.toString());
      double limit = report.at("/limitMs/" + pass).doubleValue();
      assertTrue(limit > 0, report.toString());
      assertEquals(median / limit, report.at("/overLimit/" + pass).doubleValue(), 1e-9);
    }
    assertTrue(report.path("comparisons").isEmpty());
    assertFalse(report.has("longContext"));
    assertEquals("tiny", report.at("/model/preset").textValue());
    assertEquals(64, report.at("/shape/dim").intValue());
    assertEquals(1, report.at("/backend/threads").intValue());
    assertEquals(128, report.at("/prefillChunk").intValue());
    assertTrue(report.at("/machine/limits/gigaflops").doubleValue() > 0);
    assertTrue(report.at("/machine/limits/gigabytesPerSecond").doubleValue() > 0);
    assertTrue(out.contains("32 after 480"), out);
    assertFalse(out.contains("stock"), out);
    assertTrue(err.contains("measuring: "), err);
    assertTrue(err.contains("2 layers alike, all fused"), err);
  }

  @Test
  void comparesAnyShapeWithTheStockSessionAndAtALongContext() throws IOException {
    JsonNode report = bench("--shape 1,32,2,1,48,300 --context-long 1024 --compare stock");
    assertEquals("1,32,2,1,48,300", report.at("/model/preset").textValue());
    assertEquals(300, report.at("/shape/vocabulary").intValue());
    for (String pass : new String[] {"prefill992", "warm960_32", "decode"}) {
      assertTrue(report.at("/longContext/" + pass + "/median").doubleValue() > 0, pass);
      assertTrue(report.at("/limitMs/longContext/" + pass).doubleValue() > 0, pass);
    }
    for (String pass : new String[] {"prefill512", "warm480_32", "decode"}) {
      double stock = report.at("/comparisons/stock/" + pass + "/min").doubleValue();
      double ratio = report.at("/comparisons/stock/ratio/" + pass + "/min").doubleValue();
      assertEquals(stock / report.at("/" + pass + "/min").doubleValue(), ratio, 1e-9);
    }
    assertTrue(report.at("/comparisons/stock/longContext").isMissingNode());
    assertTrue(out.contains("stock session"), out);
    assertTrue(out.contains("1 after 992"), out);
  }

  @Test
  void timesProcessesToTheirFirstToken() throws IOException {
    JsonNode report = bench("--cold --threads 1 --model " + Programs.stories("stories260K.gguf"));
    double sum = 0;
    for (Phase phase : Phase.values()) {
      JsonNode ms = report.at("/phasesMs/" + phase.key());
      assertTrue(ms.get("min").doubleValue() >= 0, report.toString());
      sum += ms.get("median").doubleValue();
      assertTrue(out.contains(" " + phase.label() + " "), out);
    }
    // Of two processes, a median is the mean, and means add up.
    assertEquals(sum, report.at("/firstTokenMs/median").doubleValue(), 1e-6);
    assertEquals(2, report.get("processes").intValue());
    int tokens = report.get("promptTokens").intValue();
    assertTrue(tokens > 256 && tokens < 512, report.toString()); // the context has 512
    assertEquals(1, report.at("/backend/threads").intValue());
    assertTrue(report.at("/machine/processors").intValue() > 0);
    assertTrue(err.contains("measuring: 3 of 3"), err);
  }
}
