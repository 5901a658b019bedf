package kv4j.apps.report;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import kv4j.apps.cli.Terminal;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ReportPrinterTest {
  private final String text = ReportPrinter.text(Reports.INFO, Reports.wide(), false);

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void fitsATerminalInPlainAscii(boolean everyLayer) {
    for (String line : ReportPrinter.text(Reports.INFO, Reports.wide(), everyLayer).split("\n")) {
      assertTrue(line.length() <= Terminal.COLUMNS, line);
      assertTrue(line.chars().allMatch(c -> c >= ' ' && c <= '~'), line);
    }
  }

  @Test
  void setsEverySpeedupBesideItsCeilings() {
    assertEquals(List.of("TTFT", "8.31x", "9.50x", "87.5%", "12.5x", "66.5%"), cells("TTFT  "));
    assertEquals(List.of("latency", "2.50x", "2.63x", "95.2%", "-", "-"), cells("latency  "));
  }

  @Test
  void saysWhetherTheAnswersAreTheSame() {
    assertTrue(text.contains("identical tokens: yes\n"), text);
    assertTrue(text.contains("token hit rate: 97.5%, expected 97.5%\n"), text);
    assertTrue(text.contains("largest logit difference: 3.3e-06, at most 1.9e-04"), text);
  }

  @Test
  void countsRightAnswersBesideTheTimes() {
    assertEquals("-", last(cells("none")));
    assertEquals("8 of 9", last(cells("request")));
    assertEquals("1 of 9", last(cells("faulty")));
    assertTrue(text.contains("An answer is right if"), text);
  }

  private static String last(List<String> cells) {
    return cells.get(cells.size() - 1);
  }

  @Test
  void sumsUpTheAgents() {
    List<String> total = cells("total");
    assertEquals("37035", total.get(1));
    assertEquals("3,580,245", total.get(2));
  }

  @Test
  void saysWhatFewerBitsDid() {
    String words = text.replaceAll("\\s+", " ");
    assertTrue(
        words.contains("keys and values in bf16: 131072 bytes a token instead of 262144"), words);
    assertTrue(
        words.contains("98.8% of the tokens unchanged and logits up to 1.3e-02 apart"), words);
  }

  @Test
  void countsMissesByReason() {
    assertEquals(List.of("diverged", "39999"), cells("diverged"));
    assertEquals(List.of("cold", "1"), cells("cold"));
  }

  @Test
  void joinsLayersThatAnsweredAlike() {
    assertTrue(text.contains("0-30: 39 of 40; 31: 20 of 40"), text);
  }

  @Test
  void givesEveryLayerARowIfAsked() {
    String layers = ReportPrinter.text(Reports.INFO, Reports.wide(), true);
    assertEquals(
        Reports.LAYERS,
        layers.lines().filter(line -> line.matches(" +\\d+ \\| +40 \\| +(39|20) \\|.*%")).count());
  }

  private List<String> cells(String start) {
    String row = text.lines().filter(l -> l.strip().startsWith(start)).findFirst().orElseThrow();
    return List.of(row.strip().split(" *\\| *"));
  }
}
