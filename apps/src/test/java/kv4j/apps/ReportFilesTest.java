package kv4j.apps;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.StringReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.IntStream;
import javax.xml.parsers.DocumentBuilderFactory;
import kv4j.apps.Programs.Outcome;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.w3c.dom.Document;
import org.w3c.dom.Element;
import org.w3c.dom.NodeList;
import org.xml.sax.InputSource;

/** What a run writes into files: all three say the same, and text stays text. */
class ReportFilesTest {
  private static final String SMALL =
      " --model-preset tiny --requests 5 --new-tokens 3 --repeat 2 --threads 1";

  /** Of a prompt that would break a page, were it not text. */
  private static final String HOSTILE =
      "</p><script>alert(1)</script><img src=x onerror=alert(2)> & \u202e\u2066 \u0000\u001b[31m ]]>";

  @TempDir private Path folder;

  private Path file(String name) {
    return folder.resolve(name);
  }

  private static Document parse(Path page) throws Exception {
    String text = Files.readString(page);
    assertTrue(text.startsWith("<!DOCTYPE html>\n<html lang=\"en\">"), text.substring(0, 80));
    return DocumentBuilderFactory.newInstance()
        .newDocumentBuilder()
        .parse(new InputSource(new StringReader(text)));
  }

  private static List<Element> all(Document page, String tag, String type) {
    NodeList nodes = page.getElementsByTagName(tag);
    return IntStream.range(0, nodes.getLength())
        .mapToObj(i -> (Element) nodes.item(i))
        .filter(element -> type.isEmpty() || element.getAttribute("class").equals(type))
        .toList();
  }

  private static Element figure(Document page, String caption) {
    return all(page, "figure", "").stream()
        .filter(each -> each.getFirstChild().getTextContent().equals(caption))
        .findFirst()
        .orElseThrow();
  }

  /** Values of a chart's series, in full precision. */
  private static List<Double> values(Document page, String caption, String element, int series) {
    NodeList nodes = figure(page, caption).getElementsByTagName(element);
    return IntStream.range(0, nodes.getLength())
        .mapToObj(i -> (Element) nodes.item(i))
        .filter(each -> each.getAttribute("class").equals("s" + series))
        .map(each -> Double.valueOf(each.getAttribute("data-value")))
        .toList();
  }

  private JsonNode run(String line) throws IOException {
    List<String> arguments = new ArrayList<>(Arrays.asList(line.split(" ")));
    for (String format : List.of("json", "html", "csv")) {
      arguments.addAll(List.of("--" + format, file("report." + format).toString()));
    }
    Outcome outcome = Programs.succeed("", arguments.toArray(String[]::new));
    for (String format : List.of("json", "html", "csv")) {
      assertTrue(outcome.err().contains("wrote " + file("report." + format) + ", "), outcome.err());
    }
    return new ObjectMapper().readTree(file("report.json").toFile());
  }

  private List<List<String>> csv() throws IOException {
    return Files.readString(file("report.csv"))
        .lines()
        .map(line -> List.of(line.split(",", -1)))
        .toList();
  }

  private static List<Double> column(JsonNode json, String name) {
    List<Double> values = new ArrayList<>();
    json.get("requests").forEach(request -> values.add(request.get(name).doubleValue()));
    return values;
  }

  @ParameterizedTest
  @ValueSource(strings = {"compare", "workflow"})
  void pageRowsAndJsonHaveTheSameFigures(String command) throws Exception {
    JsonNode json = run(command + SMALL + " --cache radix");
    Document page = parse(file("report.html"));
    String ttft = "Time to first token";
    assertEquals(column(json, "uncachedTtftMs"), values(page, ttft, "rect", 0));
    assertEquals(column(json, "ttftMs"), values(page, ttft, "rect", 1));
    assertEquals(column(json, "ceilingTtftMs"), values(page, ttft, "rect", 2));
    List<Double> sums = values(page, "Time of all requests so far", "circle", 1);
    assertEquals(json.at("/rows").size() - 1, lastRow(json));
    double total = json.at("/rows/" + lastRow(json) + "/totalLatencyMs").doubleValue();
    assertEquals(total / 1000, sums.get(sums.size() - 1), 1e-9);
    assertEquals(
        List.of(json.at("/speedup/ttft").doubleValue(), json.at("/speedup/latency").doubleValue()),
        values(page, "Speedup beside its ceilings", "rect", 0));
    List<List<String>> rows = csv();
    assertEquals(6, rows.size());
    int column = rows.get(0).indexOf("ttft_ms");
    assertEquals(
        column(json, "ttftMs"),
        rows.stream().skip(1).map(row -> Double.valueOf(row.get(column))).toList());
    assertTrue(page.getDocumentElement().getTextContent().contains("identical tokens: yes"));
  }

  private static int lastRow(JsonNode json) {
    return json.get("rows").size() - 1;
  }

  @Test
  void stripsShowWhichTokensWereCached() throws Exception {
    JsonNode json = run("compare" + SMALL + " --prefix-tokens 64 --suffix-tokens 20");
    Document page = parse(file("report.html"));
    List<Element> strips = all(page, "figure", "strip");
    assertTrue(strips.size() >= 2, strips.toString());
    for (Element strip : strips) {
      String title = strip.getFirstChild().getTextContent();
      int request = Integer.parseInt(title.replaceFirst("request (\\d+),.*", "$1")) - 1;
      JsonNode row = json.get("requests").get(request);
      int cached = row.get("cachedTokens").intValue();
      assertEquals(cached, count(strip, "cached"), title);
      assertEquals(row.get("promptTokens").intValue() - cached, count(strip, "computed"), title);
      assertEquals(3, count(strip, "generated"), title);
    }
  }

  private static int count(Element strip, String type) {
    NodeList spans = strip.getElementsByTagName("span");
    return IntStream.range(0, spans.getLength())
        .mapToObj(i -> (Element) spans.item(i))
        .filter(span -> span.getAttribute("class").equals(type))
        .mapToInt(span -> span.getElementsByTagName("bdi").getLength())
        .sum();
  }

  @Test
  void textOfPromptsStaysText() throws Exception {
    JsonNode workload = new ObjectMapper().readTree(Path.of("../testdata/compare.json").toFile());
    String shared = new ObjectMapper().writeValueAsString(workload);
    Path hostile = file("hostile.json");
    String text = new ObjectMapper().writeValueAsString(HOSTILE);
    String first = first(workload);
    Files.writeString(
        hostile,
        shared.replaceFirst(
            Pattern.quote(new ObjectMapper().writeValueAsString(first)),
            Matcher.quoteReplacement(text)));
    run("compare" + SMALL + " --prefix-tokens 40 --suffix-tokens 20 --workload " + hostile);
    Document page = parse(file("report.html"));
    for (String tag : List.of("script", "img", "iframe", "link", "object")) {
      assertEquals(0, page.getElementsByTagName(tag).getLength(), tag);
    }
    String html = Files.readString(file("report.html"));
    assertFalse(html.contains("http://"), "loads something");
    assertFalse(html.contains("https://"), "loads something");
    String tokens =
        String.join("", all(page, "bdi", "").stream().map(bdi -> bdi.getTextContent()).toList());
    assertTrue(tokens.contains("</p><script>alert(1)</script>"), tokens);
    assertTrue(html.contains("default-src 'none'"), "no script could run even so");
    assertFalse(
        new String(Files.readAllBytes(file("report.html")), StandardCharsets.UTF_8)
            .contains("\u001b"));
  }

  /** The first text of the shared part. */
  private static String first(JsonNode node) {
    if (node.isTextual() && node.textValue().length() > 20) {
      return node.textValue();
    }
    for (JsonNode child : node) {
      String found = first(child);
      if (found != null) {
        return found;
      }
    }
    return null;
  }

  @Test
  void theBenchmarkWritesThemToo() throws Exception {
    JsonNode json = run("bench --quick --repeat 1 --compare none --model-preset tiny --threads 1");
    List<Double> medians = values(parse(file("report.html")), "Median times", "rect", 1);
    for (String pass : List.of("decode", "warm480_32", "prefill512")) {
      assertTrue(medians.contains(json.at("/" + pass + "/median").doubleValue()), pass);
    }
    assertEquals(
        List.of("new_tokens", "before", "min_ms", "median_ms", "p95_ms", "max_ms", "limit_ms"),
        csv().get(0));
    assertEquals(4, csv().size());
  }

  @Test
  void whatCannotBeWrittenIsRefusedBeforeAnythingRuns() {
    for (String option : List.of("html", "csv")) {
      Path nowhere = folder.resolve("missing").resolve("report");
      Outcome outcome = Programs.run("", ("bench --" + option + " " + nowhere).split(" "));
      assertEquals(2, outcome.status(), outcome.err());
      assertEquals(
          "kv4j: cannot write " + nowhere + ": there is no folder " + nowhere.getParent() + "\n",
          outcome.err());
    }
    String twice = "compare --html %s --csv %s".formatted(file("x"), file("x"));
    Outcome outcome = Programs.run("", twice.split(" "));
    assertEquals(2, outcome.status());
    assertTrue(outcome.err().contains("which another option names too"), outcome.err());
  }
}
