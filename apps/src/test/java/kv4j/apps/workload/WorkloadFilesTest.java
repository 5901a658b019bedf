package kv4j.apps.workload;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;
import kv4j.apps.workload.AgenticRun.Step;
import kv4j.apps.workload.PromptSet.Question;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class WorkloadFilesTest {
  @TempDir Path folder;

  private String error(Function<Path, ?> reader, String json) throws IOException {
    Path file = Files.writeString(folder.resolve("w.json"), json.replace('\'', '"'));
    Throwable e = assertThrows(IllegalArgumentException.class, () -> reader.apply(file));
    String prefix = "the workload file " + file;
    assertTrue(e.getMessage().startsWith(prefix), e.getMessage());
    assertFalse(e.getMessage().contains("\n"), e.getMessage());
    return e.getMessage().substring(prefix.length());
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        "{'system': 'x', 'questions': ['y']}|field name is missing or empty",
        "{'name': 'n', 'system': [], 'questions': ['y']}|field system is missing or empty",
        "{'name': 'n', 'system': 'x', 'questions': ['y', ' ']}|field questions[1] is missing or empty",
        "{'name': 'n', 'system': 'x', 'questions': [null]}|field questions[0] is missing or empty",
        "{'name': 'n', 'system': 'x', 'questions': ['y', {}]}|field questions[1] is missing or empty",
        "{'name': 'n', 'system': 'x', 'questions': ['y', 7]}|field questions[1] is of the wrong kind",
        "{'name': 'n', 'system': 'x', 'questions': [{'text': 'y', 'answer': 7}]}|field questions[0].answer is of the wrong kind",
        "{'name': 'n', 'system': 'x', 'questions': [{'text': 'y', 'anser': 'z'}]}|unknown field questions[0].anser",
        "{'name': 7, 'system': 'x', 'questions': ['y']}|field name is of the wrong kind",
        "{'name': 'n', 'system': 'x', 'questions': ['y'], 'sise': 3}|unknown field sise",
        "[3]|it is not one JSON object",
        "``|it is not one JSON object",
      })
  void saysWhatIsWrongWithAPromptSet(String json, String message) throws IOException {
    String error = error(PromptSet::read, json);
    assertTrue(error.endsWith(": " + message), error);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "'agents': {}, 'steps': [{'agent': 'a', 'text': 't'}]|field agents is missing or empty",
        "'agents': {'a': ''}, 'steps': [{'agent': 'a', 'text': 't'}]|field agents.a is missing or empty",
        "'agents': {'a': 'r'}|field steps is missing or empty",
        "'agents': {'a': 'r'}, 'steps': [null]|field steps[0] is missing or empty",
        "'agents': {'a': 'r'}, 'steps': [{'agent': 'a'}]|field steps[0].text is missing or empty",
        "'agents': {'a': 'r'}, 'steps': [{'text': 't'}]|field steps[0].agent is missing or empty",
        "'agents': {'a': 'r'}, 'steps': [{'agent': 'b', 'text': 't'}]"
            + "|field steps[0].agent names b, who is not among the agents",
        "'agents': {'a': 'r'}, 'steps': [{'agent': 'a', 'txet': 't'}]|unknown field steps[0].txet",
      })
  void saysWhatIsWrongWithAnAgenticRun(String fields, String message) throws IOException {
    String error = error(AgenticRun::read, "{'name': 'n', 'system': 'x', " + fields + "}");
    assertTrue(error.endsWith(": " + message), error);
  }

  @Test
  void saysInWhichLineTheJsonBreaks() throws IOException {
    String error = error(PromptSet::read, "{'name': 'n',\n 'system': 'x',\n 'questions': oops}");
    assertTrue(error.startsWith(", line 3: it is not valid JSON: "), error);
    String cut = error(PromptSet::read, "{'name': 'n',\n 'system': 'x'");
    assertTrue(cut.startsWith(", line 2: it is not valid JSON: "), cut);
    String twice = error(PromptSet::read, "{'name': 'n',\n 'name': 'm'}");
    assertTrue(twice.startsWith(", line 2: it is not valid JSON: "), twice);
  }

  @Test
  void saysWhichFileCannotBeRead() {
    Path none = folder.resolve("none.json");
    Throwable e = assertThrows(IllegalArgumentException.class, () -> PromptSet.read(none));
    assertEquals("there is no workload file " + none, e.getMessage());
    Throwable notAFile =
        assertThrows(IllegalArgumentException.class, () -> AgenticRun.read(folder));
    assertTrue(
        notAFile.getMessage().startsWith("the workload file " + folder + " cannot be read: "),
        notAFile.getMessage());
  }

  @Test
  void readsWhatIsWellFormed() throws IOException {
    Path file = folder.resolve("good.json");
    Files.writeString(
        file,
        """
        {"name": "n", "system": "one paragraph",
         "questions": ["a", {"text": "b"}, {"text": "c", "answer": "d"}]}""");
    List<Question> questions =
        List.of(new Question("a"), new Question("b"), new Question("c", Optional.of("d")));
    assertEquals(new PromptSet("n", List.of("one paragraph"), questions), PromptSet.read(file));
    Files.writeString(
        file,
        """
        {"name": "n", "system": "x", "agents": {"a": "r"},
         "steps": [{"agent": "a", "text": "b"}, {"agent": "a", "text": "c", "answer": "d"}]}""");
    assertEquals(
        List.of(new Step("a", "b"), new Step("a", "c", Optional.of("d"))),
        AgenticRun.read(file).steps());
  }
}
