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

/** Reads the metadata of GGUF files, versions 2 and 3. */
final class GgufMetadata {
  private final ByteBuffer in;

  private GgufMetadata(ByteBuffer in) {
    this.in = in;
  }

  static Map<String, Object> read(Path file) throws IOException {
    ByteBuffer in = ByteBuffer.wrap(Files.readAllBytes(file)).order(ByteOrder.LITTLE_ENDIAN);
    return new GgufMetadata(in.position(16)).metadata();
  }

  /**
   * The Llama 2 vocabulary of a file that once went through a text editor: every byte that was no
   * UTF-8 has become U+FFFD. That leaves the tokens and their types as they were, and spoils the
   * scores, which for this vocabulary are minus the rank after the byte tokens, and -1e9 for runs
   * of spaces.
   */
  static Map<String, Object> salvageLlama2(Path file) throws IOException {
    byte[] bytes = Files.readAllBytes(file);
    ByteBuffer in = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
    String text = new String(bytes, StandardCharsets.ISO_8859_1);
    Map<String, Object> metadata = new HashMap<>(Map.of("tokenizer.ggml.model", "llama"));
    for (String key : List.of("tokenizer.ggml.tokens", "tokenizer.ggml.token_type")) {
      in.position(text.indexOf(key) + key.length());
      metadata.put(key, new GgufMetadata(in).value(in.getInt()));
    }
    List<Float> scores = new ArrayList<>();
    for (Object token : (List<?>) metadata.get("tokenizer.ggml.tokens")) {
      float rank = Math.max(0, scores.size() - 259);
      scores.add(token.toString().matches("\u2581{2,}") ? -1e9f : -rank);
    }
    metadata.put("tokenizer.ggml.scores", scores);
    return metadata;
  }

  private Map<String, Object> metadata() {
    Map<String, Object> metadata = new HashMap<>();
    for (long count = in.getLong(); count > 0; count--) {
      String key = string();
      metadata.put(key, value(in.getInt()));
    }
    return metadata;
  }

  private Object value(int type) {
    return switch (type) {
      case 0, 1 -> in.get();
      case 2, 3 -> in.getShort();
      case 4, 5 -> in.getInt();
      case 6 -> in.getFloat();
      case 7 -> in.get() != 0;
      case 8 -> string();
      case 9 -> list();
      case 10, 11 -> in.getLong();
      case 12 -> in.getDouble();
      default -> throw new IllegalStateException("type " + type);
    };
  }

  private List<Object> list() {
    int type = in.getInt();
    long count = in.getLong();
    List<Object> values = new ArrayList<>();
    for (long i = 0; i < count; i++) {
      values.add(value(type));
    }
    return values;
  }

  private String string() {
    byte[] bytes = new byte[Math.toIntExact(in.getLong())];
    in.get(bytes);
    return new String(bytes, StandardCharsets.UTF_8);
  }
}
