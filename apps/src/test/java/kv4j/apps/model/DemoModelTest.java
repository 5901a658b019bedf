package kv4j.apps.model;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Optional;
import kv4j.model.Model;
import kv4j.model.chat.ChatTemplate;
import kv4j.model.family.LoadListener;
import kv4j.model.family.LoadOptions;
import kv4j.model.family.ModelLoader;
import kv4j.model.format.ModelFiles;
import kv4j.model.format.TensorSource;
import org.junit.jupiter.api.Test;

class DemoModelTest {
  private static final Path FILE = Path.of("..", "testdata", "demo-model", "demo-32.gguf");

  @Test
  void isWhatItsFileHolds() throws IOException {
    Model model = ModelLoader.load(FILE, LoadOptions.ALL, LoadListener.NONE);
    LoadedModel demo = DemoModel.load();
    assertEquals(DemoModel.NAME, demo.model().name());
    assertEquals(model.config(), demo.model().config());
    assertEquals(model.fingerprint(), demo.model().fingerprint());
    try (TensorSource source = ModelFiles.open(FILE)) {
      Optional<Object> template =
          Optional.ofNullable(source.metadata().get("tokenizer.chat_template"));
      assertEquals(template, demo.template().map(ChatTemplate::source));
      assertEquals(
          source.metadata().get("tokenizer.ggml.merges"),
          demo.vocabulary().get("tokenizer.ggml.merges"));
    }
  }
}
