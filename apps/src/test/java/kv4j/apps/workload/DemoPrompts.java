package kv4j.apps.workload;

import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.util.List;
import kv4j.model.Tokenizer;
import kv4j.model.chat.ChatTemplates;
import kv4j.model.format.ModelFiles;
import kv4j.model.format.TensorSource;
import kv4j.model.tokenizer.GgufTokenizers;

/** What the shipped workloads are to the model that they are written for. */
final class DemoPrompts {
  /** Tokens of its context. */
  static final int CONTEXT = 2048;

  private static final Path MODEL = Path.of("..", "testdata", "demo-model", "demo-32.gguf");
  private static final String UNKNOWN = "I do not know.";

  private DemoPrompts() {}

  /** How it is asked. */
  static PromptFormat format() {
    try (TensorSource source = ModelFiles.open(MODEL)) {
      Tokenizer tokenizer = GgufTokenizers.from(source.metadata());
      return new PromptFormat(tokenizer, ChatTemplates.from(source.metadata(), tokenizer));
    }
  }

  /** What an answer ends in stands on the page; some answers are that it does not. */
  static void assertSaidOnThePage(String page, List<String> answers) {
    long unknown = answers.stream().filter(UNKNOWN::equals).count();
    assertTrue(unknown >= 2 && unknown <= answers.size() / 5, unknown + " unknown");
    for (String answer : answers) {
      String value =
          answer.replaceFirst(" (dollars|days|rooms|grams|lines|arguments|seconds)\\.$", ".");
      value = value.replaceFirst("^.* ", "").replaceFirst("\\.$", "");
      assertTrue(answer.equals(UNKNOWN) || page.contains(" " + value), answer);
    }
  }
}
