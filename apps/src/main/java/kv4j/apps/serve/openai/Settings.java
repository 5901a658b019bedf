package kv4j.apps.serve.openai;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.concurrent.ThreadLocalRandom;
import kv4j.inference.Sampling;

/**
 * What chats and completions have in common.
 *
 * @param maxTokens most tokens to generate for each answer
 * @param sampling how to pick them; answers after the first have seeds of their own
 * @param stops texts before which an answer ends
 * @param answers how many to give for each prompt
 * @param logprobs how many of the likeliest tokens to name for each token, besides its own
 *     probability; empty to name none
 * @param stream whether the answer is to come piece by piece
 * @param includeUsage whether a streamed answer ends with a piece that has nothing but the accounts
 * @param salt by which the request's prefix is kept apart from others; empty for none
 * @param user whom the client asks for; empty if it does not say
 * @param cacheKey what the client says of requests that begin alike; empty if it does not say
 */
public record Settings(
    OptionalInt maxTokens,
    Sampling sampling,
    List<String> stops,
    int answers,
    OptionalInt logprobs,
    boolean stream,
    boolean includeUsage,
    String salt,
    String user,
    String cacheKey) {
  private static final int MOST_ANSWERS = 128;
  private static final int MOST_STOPS = 16;
  private static final int MOST_STOP_CHARS = 1024;
  private static final int MOST_BIASES = 4096;
  private static final double MOST_BIAS = 100;
  private static final String MAX_TOKENS = "max_tokens";
  private static final String STOP = "stop";

  /**
   * Reads them.
   *
   * @param logprobs as the endpoint has them
   */
  static Settings read(Fields fields, OptionalInt maxTokens, OptionalInt logprobs) {
    OptionalInt most = fields.integer(MAX_TOKENS, 1, Integer.MAX_VALUE);
    if (most.isPresent() && maxTokens.isPresent() && most.getAsInt() != maxTokens.getAsInt()) {
      throw RequestException.invalid(
          MAX_TOKENS, "max_tokens and max_completion_tokens say different things");
    }
    boolean stream = fields.flag("stream");
    Optional<JsonNode> options = fields.find("stream_options");
    if (options.isPresent() && !stream) {
      throw RequestException.invalid("stream_options", "stream_options needs \"stream\": true");
    }
    boolean includeUsage = false;
    if (options.isPresent()) {
      Fields inner = Fields.of(options.get(), "stream_options");
      includeUsage = inner.flag("include_usage");
      inner.onlyHarmless("include_obfuscation", "false");
      inner.end();
    }
    fields.onlyHarmless("service_tier", "\"auto\"", "\"default\"");
    fields.onlyHarmless("store", "false");
    return new Settings(
        maxTokens.isPresent() ? maxTokens : most,
        sampling(fields),
        stops(fields),
        fields.integer("n", 1, MOST_ANSWERS).orElse(1),
        logprobs,
        stream,
        includeUsage,
        fields.text("cache_salt").orElse(""),
        fields.text("user").orElse(""),
        fields.text("prompt_cache_key").orElse(""));
  }

  /** The same with one more text before which answers end. */
  Settings alsoStopping(String stop) {
    List<String> all = new ArrayList<>(stops);
    all.add(stop);
    return new Settings(
        maxTokens, sampling, all, answers, logprobs, stream, includeUsage, salt, user, cacheKey);
  }

  /** How to pick the tokens of one of the answers, counted from 0. */
  public Sampling sampling(int answer) {
    return new Sampling(
        sampling.temperature(),
        sampling.topK(),
        sampling.topP(),
        sampling.minP(),
        sampling.repeatPenalty(),
        sampling.repeatWindow(),
        sampling.seed() + answer,
        sampling.presencePenalty(),
        sampling.frequencyPenalty(),
        sampling.bias());
  }

  private static Sampling sampling(Fields fields) {
    Optional<JsonNode> seed = fields.find("seed");
    double topP = fields.number("top_p", 0, 1).orElse(1);
    double minP = fields.number("min_p", 0, 1).orElse(0);
    OptionalInt topK = fields.integer("top_k", -1, Integer.MAX_VALUE);
    return new Sampling(
        fields.number("temperature", 0, 2).orElse(1),
        Math.max(0, topK.orElse(0)), // -1 is all, too, for clients of vLLM
        Math.max(topP, Double.MIN_VALUE), // 0 is the likeliest token
        minP,
        1,
        0,
        seed.isEmpty()
            ? ThreadLocalRandom.current().nextLong()
            : Fields.integer(seed.get(), "seed", Long.MIN_VALUE, Long.MAX_VALUE),
        fields.number("presence_penalty", -2, 2).orElse(0),
        fields.number("frequency_penalty", -2, 2).orElse(0),
        bias(fields));
  }

  private static Map<Integer, Float> bias(Fields fields) {
    Map<Integer, Float> bias = new HashMap<>();
    Optional<JsonNode> node = fields.find("logit_bias");
    if (node.isEmpty()) {
      return bias;
    }
    if (!node.get().isObject() || node.get().size() > MOST_BIASES) {
      throw RequestException.invalid(
          "logit_bias",
          "logit_bias must be an object of at most %d numbers by token id".formatted(MOST_BIASES));
    }
    for (Map.Entry<String, JsonNode> entry : node.get().properties()) {
      if (!entry.getKey().matches("\\d{1,9}")) {
        throw RequestException.invalid("logit_bias", "the names in logit_bias must be token ids");
      }
      double value =
          Fields.number(entry.getValue(), "logit_bias." + entry.getKey(), -MOST_BIAS, MOST_BIAS);
      bias.put(Integer.valueOf(entry.getKey()), (float) value);
    }
    return bias;
  }

  private static List<String> stops(Fields fields) {
    Optional<JsonNode> node = fields.find(STOP);
    List<String> stops = new ArrayList<>();
    if (node.isPresent() && node.get().isArray()) {
      node.get().forEach(text -> stops.add(Fields.text(text, STOP)));
    } else if (node.isPresent()) {
      stops.add(Fields.text(node.get(), STOP));
    }
    for (String stop : stops) {
      if (stop.isEmpty() || stop.length() > MOST_STOP_CHARS) {
        throw RequestException.invalid(
            STOP, "each text of stop must have from 1 to %d characters".formatted(MOST_STOP_CHARS));
      }
    }
    if (stops.size() > MOST_STOPS) {
      throw RequestException.invalid(
          STOP, "stop takes at most %d texts, not %d".formatted(MOST_STOPS, stops.size()));
    }
    return stops;
  }
}
