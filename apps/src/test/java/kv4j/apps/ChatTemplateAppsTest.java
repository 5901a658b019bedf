package kv4j.apps;

import static kv4j.apps.Programs.run;
import static kv4j.apps.Programs.succeed;
import static kv4j.apps.TestModels.NO_SYSTEM;
import static kv4j.apps.TestModels.TURNS;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import kv4j.apps.Programs.Outcome;
import kv4j.apps.cli.Terminal;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Programs that write prompts with the chat template that came with a model. */
class ChatTemplateAppsTest {
  private static final ObjectMapper JSON = new ObjectMapper();

  @TempDir private Path folder;

  private JsonNode measure(String arguments, String format) throws IOException {
    Path json = folder.resolve("report.json");
    Outcome outcome = succeed("", (arguments + " --threads 1 --json " + json).split(" "));
    assertTrue(
        outcome.out().replaceAll("\\s+", " ").contains(" prompts in " + format), outcome.out());
    for (String line : outcome.out().split("\n")) {
      assertTrue(line.length() <= Terminal.COLUMNS, line);
    }
    JsonNode report = JSON.readTree(json.toFile());
    assertTrue(report.get("identicalTokens").asBoolean());
    assertEquals(format, report.get("prompts").asText());
    JsonNode rows = report.get("rows");
    assertEquals(
        report.get("expectedTokenHitRate").asDouble(),
        rows.get(rows.size() - 1).get("tokenHitRate").asDouble(),
        1e-9);
    return report;
  }

  @ParameterizedTest
  @ValueSource(strings = {TURNS, NO_SYSTEM})
  void comparesWithPromptsOfTheTemplate(String template) throws IOException {
    Path model = TestModels.gguf(folder.resolve("m.gguf"), template);
    String sizes = " --requests 3 --prefix-tokens 100 --suffix-tokens 10 --new-tokens 2";
    String before = template.equals(TURNS) ? "<s><system>" : "<s><user>";
    String between = template.equals(TURNS) ? "</s><user>" : "\n\n";
    // Tokens are bytes, but for begin and end; what follows the prefix are a question and its end.
    int shared = 100 + tokens(before) + tokens(between);
    int prompt = shared + 10 + tokens("</s><assistant>");
    for (String cache : new String[] {"simple", "radix"}) {
      JsonNode report =
          measure(
              "compare --model " + model + " --cache " + cache + sizes,
              "the model's chat template");
      double hits = report.at("/rows/2/tokenHitRate").asDouble();
      if (cache.equals("simple")) {
        assertEquals(2.0 * shared / (3.0 * prompt), hits, 1e-9);
      } else {
        assertTrue(hits >= 2.0 * shared / (3.0 * prompt), hits + " of " + shared);
      }
    }
    measure("workflow --requests 6 --new-tokens 2 --model " + model, "the model's chat template");
  }

  private static int tokens(String text) {
    return text.replaceAll("</?s>", ".").length();
  }

  @Test
  void promptsThatDoNotFitAreRefusedInOneSentence() {
    Path model = TestModels.gguf(folder.resolve("m.gguf"), TURNS);
    String[] programs = {
      "compare --model " + model + " --context 150 --prefix-tokens 140 --suffix-tokens 5",
      "workflow --model " + model + " --context 150"
    };
    for (String program : programs) {
      Outcome outcome = run("", (program + " --threads 1").split(" "));
      assertEquals(2, outcome.status());
      assertEquals("", outcome.out());
      String last = outcome.err().lines().reduce((a, b) -> b).orElseThrow();
      assertTrue(last.startsWith("kv4j: request 1 does not fit the model's context of 150"), last);
    }
    succeed("", ("compare --quick --requests 2 --context 150 --model " + model).split(" "));
  }

  @ParameterizedTest
  @ValueSource(strings = {TURNS, NO_SYSTEM})
  void chatsByTheTemplate(String template) {
    Path model = TestModels.gguf(folder.resolve("m.gguf"), template);
    Outcome outcome =
        succeed(
            "Hello\n/stats\nAnd you?\n/stats\n/tree\n",
            ("chat --threads 1 --new-tokens 4 --system Brief. --model " + model).split(" "));
    int first =
        tokens(
            template.equals(TURNS)
                ? "<s><system>Brief.</s><user>Hello</s><assistant>"
                : "<s><user>Brief.\n\nHello</s><assistant>");
    assertTrue(outcome.err().contains("prompt " + first + " tokens, 0 of them"), outcome.err());
    assertTrue(
        outcome.out().contains("1 prompts of " + first + " tokens, 0 of them cached"),
        outcome.out());
    assertTrue(outcome.out().contains("2 prompts of "), outcome.out());
    assertTrue(outcome.out().contains("Hello"), outcome.out()); // in the tree
    String second = outcome.err().lines().filter(l -> l.startsWith("prompt ")).toList().get(1);
    int cached = Integer.parseInt(second.replaceFirst(".* tokens, (\\d+) of them.*", "$1"));
    assertTrue(cached >= first, second);
  }

  @Test
  void aHuggingFaceFolderRunsInAllPrograms() throws IOException {
    Path model = TestModels.huggingFace(folder.resolve("llama"));
    String compare = "compare --quick --requests 2 --model " + model;
    assertTrue(succeed("", "inspect", model.toString()).out().contains("chat template: none"));
    measure(compare, "plain text");

    ObjectNode one = TestModels.tokenizerConfig().put("chat_template", TURNS);
    TestModels.write(model, one);
    JsonNode asText = measure(compare, "the model's chat template");
    assertEquals(TURNS, inspect(model));

    ObjectNode several = TestModels.tokenizerConfig();
    several.withArray("/chat_template").addObject().put("name", "tool_use").put("template", "?");
    several
        .withArray("/chat_template")
        .addObject()
        .put("name", "default")
        .put("template", NO_SYSTEM);
    TestModels.write(model, several);
    assertEquals("{# tool_use #}\n?\n{# default #}\n" + NO_SYSTEM, inspect(model));
    measure(compare, "the model's chat template");

    Files.writeString(model.resolve("chat_template.jinja"), TURNS); // counts more
    assertEquals(TURNS, inspect(model));
    JsonNode asFile = measure(compare, "the model's chat template");
    assertEquals(asText.at("/rows/2/tokenHitRate"), asFile.at("/rows/2/tokenHitRate"));

    Path json = folder.resolve("text.json");
    String generate = "generate --prompt Größe --new-tokens 5 --model " + model + " --json " + json;
    succeed("", generate.split(" "));
    JsonNode text = JSON.readTree(json.toFile());
    assertEquals(1 + 7, text.get("promptTokens").size());
    assertEquals(256, text.at("/promptTokens/0").asInt());
    Outcome chat = succeed("Hi\n", ("chat --new-tokens 3 --model " + model).split(" "));
    assertTrue(
        chat.err().contains("prompt " + tokens("<s><user>Hi</s><assistant>") + " tokens"),
        chat.err());
    assertFalse(chat.err().contains("WARN"), chat.err());
  }

  private String inspect(Path model) throws IOException {
    Path json = folder.resolve("contents.json");
    succeed("", "inspect", model.toString(), "--json", json.toString());
    JsonNode contents = JSON.readTree(json.toFile());
    assertEquals("[]", contents.get("problems").toString());
    assertEquals("llama", contents.at("/model/architecture").asText());
    return contents.get("chatTemplate").asText();
  }
}
