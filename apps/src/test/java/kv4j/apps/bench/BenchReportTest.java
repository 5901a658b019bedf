package kv4j.apps.bench;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import kv4j.apps.cli.Terminal;
import kv4j.apps.report.RunInfo;
import kv4j.apps.workload.Spread;
import kv4j.inference.EngineOptions;
import kv4j.model.ModelPreset;
import kv4j.model.format.block.TensorType;
import org.junit.jupiter.api.Test;

class BenchReportTest {
  private static final BenchOptions OPTIONS =
      new BenchOptions(new EngineOptions(2, 256), OptionalInt.of(4096), 20, List.of());

  private static Map<Pass, Spread> times(List<Pass> passes, double scale) {
    Map<Pass, Spread> times = new LinkedHashMap<>();
    for (Pass pass : passes) {
      double ms = scale * (pass.before() / 10.0 + pass.rows());
      times.put(pass, new Spread(ms, 1.5 * ms, 2 * ms, 3 * ms));
    }
    return times;
  }

  private static BenchReport report(double scale) {
    return new BenchReport(
        new RunInfo(
            new RunInfo.Model("M", 32, 95_000_000),
            new RunInfo.Backend("CpuBackend", "OPENBLAS", 2, "cpu"),
            Optional.empty()),
        ModelPreset.M.config(),
        new ReadWeights(Map.of(TensorType.Q8_0, 120_000_000L, TensorType.F32, 300_000L)),
        "vector, 512 bits",
        256,
        new MachineLimits(330, "vector", 25),
        times(OPTIONS.passes(), scale),
        Map.of(
            Comparison.STOCK, times(BenchReport.SHORT, 9.87654 * scale),
            Comparison.PLAIN, times(OPTIONS.passes(), 12.3456 * scale)));
  }

  private static JsonNode json(BenchReport report) {
    return new ObjectMapper().valueToTree(report.document());
  }

  @Test
  void figuresAreWhereOthersLookForThem() {
    JsonNode json = json(report(1));
    assertEquals(512, json.at("/prefill512/min").doubleValue());
    assertEquals(1.5 * 80, json.at("/warm480_32/median").doubleValue());
    assertEquals(2 * 52.2, json.at("/decode/p95").doubleValue());
    assertEquals(3 * 4064, json.at("/longContext/prefill4064/max").doubleValue());
    assertEquals(407.4, json.at("/longContext/decode/min").doubleValue(), 1e-9);
    assertEquals(120.3 / (1.5 * 52.2), json.at("/gigabytesPerSecond/decode").doubleValue(), 1e-9);
    assertEquals(120_000_000, json.at("/weightBytes/Q8_0").longValue());
    assertEquals(9.87654, json.at("/comparisons/stock/ratio/decode/min").doubleValue(), 1e-9);
    assertEquals(
        12.3456,
        json.at("/comparisons/plain/ratio/longContext/warm4032_32/median").doubleValue(),
        1e-9);
  }

  @Test
  void whatAnotherProcessWroteIsReadBack() {
    BenchReport report = report(0.7);
    assertEquals(report.times(), BenchReport.readTimes(json(report), OPTIONS.passes()));
    assertThrows(
        IllegalArgumentException.class,
        () -> BenchReport.readTimes(json(report), List.of(new Pass(0, 7))));
  }

  @Test
  void anotherProcessMustHaveRunSomethingElse() {
    JsonNode same = json(report(1));
    assertThrows(IllegalStateException.class, () -> OtherJvm.checkIsOther(Comparison.PLAIN, same));
  }

  @Test
  void longFiguresStillFitTheTerminal() {
    String text = BenchPrinter.text(report(30));
    assertTrue(text.contains("stock session"), text);
    for (String line : text.split("\n")) {
      assertTrue(line.length() <= Terminal.COLUMNS, line);
    }
  }

  @Test
  void comparisonsAreReadFromAList() {
    assertEquals(List.of(Comparison.PLAIN, Comparison.STOCK), Comparison.list("plain,stock,plain"));
    assertEquals(List.of(), Comparison.list("none"));
    assertThrows(IllegalArgumentException.class, () -> Comparison.list("none,stock"));
  }
}
