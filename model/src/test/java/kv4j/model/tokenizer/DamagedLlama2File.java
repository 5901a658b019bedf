package kv4j.model.tokenizer;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * The Llama 2 vocabulary of a GGUF file that once went through a text editor: every byte that was
 * no UTF-8 has become U+FFFD. That leaves the tokens and their types as they were, and spoils the
 * scores, which for this vocabulary are minus the rank after the byte tokens, and -1e9 for runs of
 * spaces.
 */
final class DamagedLlama2File {
  private static final String PREFIX = "tokenizer.ggml.";
  private static final String DAMAGE = "epsilon\6\0\0\0\u00EF\u00BF\u00BD";
  private static final int STRING = 8;

  private DamagedLlama2File() {}

  static boolean isDamaged(Path file) throws IOException {
    return latin1(file).contains(DAMAGE);
  }

  static Map<String, Object> metadata(Path file) throws IOException {
    List<Object> tokens = list(file, "tokens");
    List<Float> scores = new ArrayList<>();
    for (Object token : tokens) {
      float rank = Math.max(0, scores.size() - 259);
      scores.add(token.toString().matches("\u2581{2,}") ? -1e9f : -rank);
    }
    Map<String, Object> metadata = new HashMap<>();
    metadata.put(PREFIX + "model", "llama");
    metadata.put(PREFIX + "tokens", tokens);
    metadata.put(PREFIX + "token_type", list(file, "token_type"));
    metadata.put(PREFIX + "scores", scores);
    return metadata;
  }

  private static List<Object> list(Path file, String name) throws IOException {
    ByteBuffer in = ByteBuffer.wrap(Files.readAllBytes(file)).order(ByteOrder.LITTLE_ENDIAN);
    String key = PREFIX + name;
    in.position(latin1(file).indexOf(key) + key.length() + Integer.BYTES);
    int type = in.getInt();
    List<Object> values = new ArrayList<>();
    for (long left = in.getLong(); left > 0; left--) {
      if (type == STRING) {
        byte[] text = new byte[Math.toIntExact(in.getLong())];
        in.get(text);
        values.add(new String(text, StandardCharsets.UTF_8));
      } else {
        values.add(in.getInt());
      }
    }
    return values;
  }

  private static String latin1(Path file) throws IOException {
    return new String(Files.readAllBytes(file), StandardCharsets.ISO_8859_1);
  }
}
