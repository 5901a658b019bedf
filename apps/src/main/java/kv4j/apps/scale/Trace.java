package kv4j.apps.scale;

import com.fasterxml.jackson.annotation.JsonIgnoreProperties;
import com.fasterxml.jackson.annotation.JsonProperty;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.charset.MalformedInputException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/**
 * Requests in the order in which they arrive.
 *
 * @param tokensPerId tokens that an id stands for: 1 is exact, more is coarser and faster
 * @param idsPerBlock ids in a block
 */
public record Trace(int tokensPerId, int idsPerBlock, List<TraceRequest> requests) {
  /** Tokens that the ids in published traces stand for; each is a block of its own. */
  static final int PUBLISHED_BLOCK = 512;

  public Trace {
    if (tokensPerId < 1 || idsPerBlock < 1 || requests.isEmpty()) {
      throw new IllegalArgumentException(
          "a trace has requests whose ids stand for tokens, not %d of %d ids a block and %d tokens"
              .formatted(requests.size(), idsPerBlock, tokensPerId));
    }
    requests = requests.stream().sorted(Comparator.comparingDouble(TraceRequest::seconds)).toList();
  }

  /** A line of a published trace. */
  @JsonIgnoreProperties(ignoreUnknown = true)
  private record Line(
      @JsonProperty(required = true) double timestamp,
      @JsonProperty(value = "input_length", required = true) int inputLength,
      @JsonProperty(value = "hash_ids", required = true) int[] hashIds) {
    TraceRequest request() {
      return new TraceRequest(timestamp / 1000, inputLength, hashIds, hashIds);
    }
  }

  /**
   * Reads a trace in the form of Mooncake's: a JSON object a line, with {@code timestamp} in ms,
   * {@code input_length} in tokens and {@code hash_ids}, one for each 512 tokens of the prompt and
   * for what is left over. What was generated has no ids there, and counts as not kept.
   *
   * @throws IllegalArgumentException with one sentence if it cannot be read or is something else
   */
  public static Trace read(Path file) {
    ObjectMapper mapper =
        new ObjectMapper().enable(DeserializationFeature.FAIL_ON_NULL_CREATOR_PROPERTIES);
    List<TraceRequest> requests = new ArrayList<>();
    try {
      for (String line : Files.readAllLines(file)) {
        requests.add(mapper.readValue(line, Line.class).request());
      }
      return new Trace(PUBLISHED_BLOCK, 1, requests);
    } catch (NoSuchFileException e) {
      throw new IllegalArgumentException("there is no trace " + file, e);
    } catch (JsonProcessingException | MalformedInputException | IllegalArgumentException e) {
      throw new IllegalArgumentException(
          "%s, line %d: it is not a request with timestamp, input_length and hash_ids"
              .formatted(file, requests.size() + 1),
          e);
    } catch (IOException e) {
      throw new IllegalArgumentException("the trace %s cannot be read".formatted(file), e);
    }
  }

  /** Tokens in a block. */
  public int blockTokens() {
    return tokensPerId * idsPerBlock;
  }

  /** Mean tokens of a prompt. */
  public double meanPromptTokens() {
    return requests.stream().mapToInt(TraceRequest::promptTokens).average().orElseThrow();
  }
}
