package kv4j.apps.workload;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonMappingException;
import com.fasterxml.jackson.databind.cfg.CoercionAction;
import com.fasterxml.jackson.databind.cfg.CoercionInputShape;
import com.fasterxml.jackson.databind.exc.MismatchedInputException;
import com.fasterxml.jackson.databind.exc.UnrecognizedPropertyException;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.type.LogicalType;
import com.fasterxml.jackson.datatype.jdk8.Jdk8Module;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Collectors;

/** Reads workload files: strict JSON, bound to a record, every error one sentence. */
final class WorkloadFiles {
  private static final JsonMapper MAPPER =
      JsonMapper.builder()
          .enable(DeserializationFeature.ACCEPT_SINGLE_VALUE_AS_ARRAY)
          .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
          .enable(JsonParser.Feature.STRICT_DUPLICATE_DETECTION)
          .addModule(new Jdk8Module()) // answers are optional
          .withCoercionConfig(
              LogicalType.Textual,
              text ->
                  text.setCoercion(CoercionInputShape.Integer, CoercionAction.Fail)
                      .setCoercion(CoercionInputShape.Float, CoercionAction.Fail)
                      .setCoercion(CoercionInputShape.Boolean, CoercionAction.Fail))
          .build();

  private WorkloadFiles() {}

  /**
   * @throws IllegalArgumentException if the file cannot be read or is not what {@code type} wants
   */
  static <T> T read(Path file, Class<T> type) {
    try (InputStream in = Files.newInputStream(file)) {
      return parse(in, file.toString(), type);
    } catch (NoSuchFileException e) {
      throw new IllegalArgumentException("there is no workload file " + file, e);
    } catch (IOException e) {
      throw new IllegalArgumentException(
          "the workload file " + file + " cannot be read: " + e.getMessage(), e);
    }
  }

  /** Reads a workload that comes with this class. */
  static <T> T shipped(String name, Class<T> type) {
    try (InputStream in = WorkloadFiles.class.getResourceAsStream(name)) {
      if (in == null) {
        throw new IllegalStateException("the class path lacks " + name);
      }
      return parse(in, name, type);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static <T> T parse(InputStream in, String file, Class<T> type) throws IOException {
    try {
      T value = MAPPER.readValue(in, type);
      if (value == null) {
        throw new IllegalArgumentException("the workload file " + file + " holds only null");
      }
      return value;
    } catch (JsonProcessingException e) {
      throw new IllegalArgumentException("the workload file " + file + what(e), e);
    }
  }

  /** What is wrong, and in which line where that is known better than by the field's name. */
  private static String what(JsonProcessingException e) {
    if (e.getCause() instanceof IllegalArgumentException refused) {
      return ": " + refused.getMessage();
    }
    String line = e.getLocation() == null ? "" : ", line " + e.getLocation().getLineNr();
    if (e instanceof UnrecognizedPropertyException unknown) {
      return line + ": unknown field " + field(unknown);
    }
    if (e instanceof MismatchedInputException mismatch) {
      return mismatch.getPath().isEmpty()
          ? line + ": it is not one JSON object"
          : line + ": field " + field(mismatch) + " is of the wrong kind";
    }
    return line + ": it is not valid JSON: " + firstClause(e.getOriginalMessage());
  }

  /** A parser's message without the source it quotes. */
  private static String firstClause(String message) {
    return message.replaceFirst("(?s) \\(start marker.*|\n.*", "");
  }

  /** A path such as {@code steps[3].agent}. */
  private static String field(JsonMappingException e) {
    return e.getPath().stream()
        .map(r -> r.getFieldName() != null ? "." + r.getFieldName() : "[" + r.getIndex() + "]")
        .collect(Collectors.joining())
        .replaceFirst("^\\.", "");
  }

  /** Returns {@code text}, which must have been given and not be blank. */
  static String required(String name, String text) {
    if (text == null || text.isBlank()) {
      throw new IllegalArgumentException("field " + name + " is missing or empty");
    }
    return text;
  }

  /** Returns a copy of {@code texts}, of which there must be at least one, none of them blank. */
  static List<String> required(String name, List<String> texts) {
    if (texts == null || texts.isEmpty()) {
      throw new IllegalArgumentException("field " + name + " is missing or empty");
    }
    for (int i = 0; i < texts.size(); i++) {
      required(name + "[" + i + "]", texts.get(i));
    }
    return List.copyOf(texts);
  }

  /**
   * Makes sure that one of a workload's texts is long enough.
   *
   * @throws IllegalArgumentException if it has fewer tokens
   */
  static void requireTokens(String workload, String what, int tokens, int wanted) {
    if (tokens < wanted) {
      throw new IllegalArgumentException(
          "the workload "
              + workload
              + " has a "
              + what
              + " of only "
              + tokens
              + " tokens, too few for "
              + wanted);
    }
  }
}
