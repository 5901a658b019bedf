package kv4j.apps.serve.openai;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;

/** Reads bodies of requests, to the letter: nothing in them is overlooked or guessed at. */
public final class StrictJson {
  /** How deep arrays and objects may lie in each other, which schemas of tools seldom exceed. */
  private static final int MOST_NESTED = 100;

  /** For reading bodies and writing answers. */
  private static final ObjectMapper MAPPER =
      new ObjectMapper(
              JsonFactory.builder()
                  .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
                  .streamReadConstraints(
                      StreamReadConstraints.builder().maxNestingDepth(MOST_NESTED).build())
                  .build())
          .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS);

  private StrictJson() {}

  /**
   * The object that a body is.
   *
   * @throws RequestException if it is anything else
   */
  public static ObjectNode object(byte[] body) {
    if (read(body) instanceof ObjectNode object) {
      return object;
    }
    throw RequestException.invalid(null, "the body must be a JSON object");
  }

  /**
   * What a body is.
   *
   * @throws RequestException if it is not JSON in UTF-8, or an object in it has a name twice
   */
  public static JsonNode read(byte[] body) {
    String text;
    try {
      text = StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(body)).toString();
    } catch (CharacterCodingException e) {
      throw RequestException.invalid(null, "the body is not UTF-8");
    }
    if (text.isBlank()) {
      throw RequestException.invalid(null, "the body is empty, but must be a JSON object");
    }
    try {
      return MAPPER.readTree(text);
    } catch (JsonProcessingException e) {
      String where =
          e.getLocation() == null
              ? ""
              : ", line %d, column %d"
                  .formatted(e.getLocation().getLineNr(), e.getLocation().getColumnNr());
      String why = e.getOriginalMessage().replaceAll("\\s+", " ");
      throw RequestException.invalid(null, "the body cannot be read as JSON: " + why + where);
    }
  }

  /** Any node as text. */
  public static String write(JsonNode json) {
    return json.toString();
  }
}
