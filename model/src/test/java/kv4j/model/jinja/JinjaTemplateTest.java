package kv4j.model.jinja;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class JinjaTemplateTest {
  private static final ObjectMapper JSON =
      new ObjectMapper().enable(DeserializationFeature.USE_BIG_INTEGER_FOR_INTS);
  private static final Clock CLOCK = Clock.systemUTC();

  /** Renderings by Python's jinja2 3.1.6 with Hugging Face's settings. */
  @Test
  void rendersConversationsAsPythonDoes() throws IOException {
    List<String> wrong = new ArrayList<>();
    JsonNode cases = JSON.readTree(Files.readAllBytes(testdata().resolve("chat-templates.json")));
    assertEquals(144, cases.size());
    for (JsonNode one : cases) {
      Map<String, Object> variables = new LinkedHashMap<>();
      variables.put("messages", JSON.convertValue(one.get("messages"), Object.class));
      variables.put("add_generation_prompt", one.get("addGenerationPrompt").booleanValue());
      variables.put("bos_token", "<s>");
      variables.put("eos_token", "</s>");
      compare(one, variables, wrong);
    }
    assertEquals(List.of(), wrong);
  }

  /** Random expressions and statements, rendered likewise. */
  @Test
  void rendersRandomTemplatesAsPythonDoes() throws IOException {
    List<String> wrong = new ArrayList<>();
    try (InputStream in = getClass().getResourceAsStream("generated.json")) {
      JsonNode root = JSON.readTree(in);
      Map<String, Object> variables =
          JSON.convertValue(root.get("variables"), new TypeReference<>() {});
      assertTrue(root.get("cases").size() > 1000);
      root.get("cases").forEach(one -> compare(one, variables, wrong));
    }
    assertEquals(List.of(), wrong);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "{% for i in range(99999) %}{% for j in range(99999) %}{% endfor %}{% endfor %}",
        "{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}",
        "{{ 'a' * 1000000000 }}",
        "{{ '%1000000000d' % 1 }}",
        "{{ 10 ** 1000000000 }}",
        "{% set n = namespace(s='ab') %}{% for i in range(99) %}{% set n.s = n.s + n.s %}{% endfor %}",
        "{% include 'x' %}"
      })
  void refusesWhatTakesTooMuch(String template) {
    JinjaException refusal = assertThrows(JinjaException.class, () -> render(template, Map.of()));
    assertEquals(JinjaException.Kind.REFUSED, refusal.kind(), refusal.getMessage());
  }

  @Test
  void refusesWhatIsNestedTooDeeply() {
    String template = "{{ " + "(".repeat(100_000) + "1" + ")".repeat(100_000) + " }}";
    assertThrows(JinjaException.class, () -> render(template, Map.of()));
  }

  @Test
  void anErrorNamesItsLine() {
    String template = "a\n{% if true %}\n{{ x.y }}{% endif %}";
    JinjaException failure = assertThrows(JinjaException.class, () -> render(template, Map.of()));
    assertEquals(3, failure.line());
    assertEquals("'x' is undefined", failure.getMessage());
  }

  private static String render(String template, Map<String, ?> variables) {
    return JinjaTemplate.parse(template).render(variables, CLOCK);
  }

  private static void compare(JsonNode one, Map<String, Object> variables, List<String> wrong) {
    String template = one.get("template").textValue();
    String rendered;
    try {
      rendered = render(template, variables);
    } catch (JinjaException e) {
      rendered = null;
    }
    String expected = one.has("expected") ? one.get("expected").textValue() : null;
    if (expected == null ? rendered != null : !expected.equals(rendered)) {
      wrong.add(template + " -> " + rendered + ", not " + expected);
    }
  }

  private static Path testdata() {
    Path folder = Path.of("").toAbsolutePath();
    while (!Files.isDirectory(folder.resolve("testdata"))) {
      folder = folder.getParent();
    }
    return folder.resolve("testdata");
  }
}
