package kv4j.apps.facts;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.ShortBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import kv4j.model.Tokenizer;
import kv4j.model.chat.ChatMessage;
import kv4j.model.chat.ChatTemplate;
import kv4j.model.chat.ChatTemplates;
import kv4j.model.format.ModelFiles;
import kv4j.model.format.TensorSource;
import kv4j.model.tokenizer.GgufTokenizers;
import org.junit.jupiter.api.Test;

/** What the model was trained with has the form in which it is asked now. */
class TrainingRowsTest {
  private static final Path MODEL = Path.of("..", "testdata", "demo-model", "demo-32.gguf");
  private static final Pattern MESSAGE =
      Pattern.compile("(?s)<\\|im_start\\|>(\\w+)\n(.*?)<\\|im_end\\|>");

  private static Map<String, Object> metadata() {
    try (TensorSource source = ModelFiles.open(MODEL)) {
      return source.metadata();
    }
  }

  @Test
  void theTokenizerInTheFileIsLearntFromTheseTexts() {
    assertEquals(metadata().get("tokenizer.ggml.merges"), DemoTokenizer.learn(1).merges());
  }

  @Test
  void rowsAreConversationsByTheTemplateInTheFile() {
    Tokenizer tokenizer = GgufTokenizers.from(metadata());
    ChatTemplate template = ChatTemplates.from(metadata(), tokenizer).orElseThrow();
    TrainingRows rows = new TrainingRows(1024, 26, 20);
    int answers = 0;
    for (int seed = 0; seed < 20; seed++) {
      short[] row = new short[1024];
      rows.write(Split.HELD_OUT, tokenizer, new Draw(seed), ShortBuffer.wrap(row));
      int[] ids = new int[row.length];
      StringBuilder said = new StringBuilder();
      for (int i = 0; i < row.length; i++) {
        ids[i] = row[i] & 0x7fff;
        said.append(row[i] < 0 ? tokenizer.name(ids[i]) : "");
      }
      StringBuilder text = new StringBuilder();
      Arrays.stream(ids).forEach(id -> text.append(plain(tokenizer, id)));
      List<ChatMessage> messages = new ArrayList<>();
      for (MatchResult turn : MESSAGE.matcher(text).results().toList()) {
        messages.add(new ChatMessage(turn.group(1), turn.group(2)));
      }
      int[] expected = Arrays.copyOf(template.encode(tokenizer, messages, false), row.length);
      assertArrayEquals(expected, ids, "seed " + seed);
      StringBuilder assistant = new StringBuilder();
      for (ChatMessage message : messages) {
        if (message.role().equals("assistant")) {
          Arrays.stream(tokenizer.encode(message.content()))
              .forEach(id -> assistant.append(tokenizer.name(id)));
          assistant.append("<|im_end|>");
          answers++;
        }
      }
      assertEquals(assistant.toString(), said.toString(), "seed " + seed);
    }
    assertTrue(answers > 200, answers + " answers");
  }

  private static String plain(Tokenizer tokenizer, int id) {
    return id < 3 ? tokenizer.name(id) : tokenizer.decode(id);
  }
}
