package kv4j.model.tokenizer;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import kv4j.model.Tokenizer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class Llama2cTokenizersTest {
  private static final Map<String, Object> METADATA =
      Vocabularies.sentencePiece(" a", "b", "c", "bc", " ", "a", "\u00E9");

  @Test
  void isTheSameVocabularyAsInGguf() {
    Tokenizer tokenizer = Llama2cTokenizers.parse(file());
    Tokenizer gguf = GgufTokenizers.from(METADATA);
    Random random = new Random(9);
    for (int i = 0; i < 500; i++) {
      String text = RoundTrips.text(random) + " abc";
      assertArrayEquals(gguf.encode(text), tokenizer.encode(text), text);
    }
    assertEquals("<s>", tokenizer.name(tokenizer.beginToken()));
    assertEquals("</s>", tokenizer.name(tokenizer.endToken()));
    assertTrue(tokenizer.addsBegin());
    RoundTrips.assertRoundTrips(tokenizer, 500, 10);
  }

  @Test
  void cutOrChangedFilesWorkOrAreRefused() {
    byte[] file = file();
    long seed = 12;
    Random random = new Random(seed);
    int worked = 0;
    for (int i = 0; i < 1500; i++) {
      byte[] changed = i % 2 == 0 ? Arrays.copyOf(file, random.nextInt(file.length)) : file.clone();
      if (i % 2 == 1) {
        int at = random.nextInt(changed.length / 4) * 4;
        ByteBuffer.wrap(changed).putInt(at, random.nextInt());
      }
      try {
        Tokenizer tokenizer = Llama2cTokenizers.parse(changed);
        tokenizer.decode(tokenizer.encode("abc \u00E9\u4E2D"));
        worked++;
      } catch (IllegalArgumentException e) {
        assertFalse(e.getMessage().isBlank(), "seed " + seed + " case " + i);
      }
    }
    assertTrue(worked < 1500, "none was refused");
  }

  @Test
  void aRefusalNamesTheFile(@TempDir Path folder) throws IOException {
    Path file = folder.resolve("tokenizer.bin");
    Files.write(file, file());
    assertEquals(266, Llama2cTokenizers.read(file).vocabulary());
    Files.write(file, new byte[0]);
    String message =
        assertThrows(IllegalArgumentException.class, () -> Llama2cTokenizers.read(file))
            .getMessage();
    assertEquals(file + " is not a llama2.c vocabulary: it is empty", message);
  }

  private static byte[] file() {
    List<?> tokens = (List<?>) METADATA.get("tokenizer.ggml.tokens");
    List<?> scores = (List<?>) METADATA.get("tokenizer.ggml.scores");
    ByteBuffer file = ByteBuffer.allocate(1 << 16).order(ByteOrder.LITTLE_ENDIAN);
    file.putInt(7);
    for (int token = 0; token < tokens.size(); token++) {
      String text = tokens.get(token).toString().replace(Vocabularies.SPACE, " ");
      if (token == 1 || token == 2) {
        text = "\n" + text + "\n";
      }
      byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
      file.putFloat((Float) scores.get(token)).putInt(bytes.length).put(bytes);
    }
    return Arrays.copyOf(file.array(), file.position());
  }
}
