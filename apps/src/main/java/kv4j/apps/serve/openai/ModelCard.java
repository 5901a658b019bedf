package kv4j.apps.serve.openai;

import java.util.Optional;
import java.util.OptionalInt;
import java.util.stream.IntStream;
import kv4j.model.Tokenizer;
import kv4j.model.chat.ChatTemplate;

/**
 * What requests need to know of the model that is served.
 *
 * @param id what clients call it
 * @param template how it wants conversations written down, if it came with that
 * @param context most tokens of prompt and answer together
 */
public record ModelCard(
    String id, Tokenizer tokenizer, Optional<ChatTemplate> template, int context) {
  /** What ends an answer in the plain template, which has no tokens for that. */
  static final String NEXT_TURN = "\nuser:";

  /** A text's ids, after the begin token if a prompt begins with one. */
  public int[] encode(String text) {
    IntStream begin =
        tokenizer.addsBegin() ? IntStream.of(tokenizer.beginToken()) : IntStream.empty();
    return IntStream.concat(begin, IntStream.of(tokenizer.encode(text))).toArray();
  }

  /**
   * Checks which model is asked for; nobody has to say.
   *
   * @throws RequestException if it is another
   */
  public void check(Fields fields) {
    Optional<String> asked = fields.text("model");
    if (asked.isPresent() && !asked.get().equals(id)) {
      throw new RequestException(
          404,
          "invalid_request_error",
          "model",
          "model_not_found",
          "there is no model \"%s\" here, only \"%s\"".formatted(shortened(asked.get()), id));
    }
  }

  /**
   * How many tokens may be generated after a prompt.
   *
   * @param param where the prompt came from
   * @param asked most tokens that the client wants
   * @param otherwise if it does not say
   * @throws RequestException if the prompt is empty or there is no room for so many
   */
  public int room(String param, int prompt, OptionalInt asked, int otherwise) {
    if (prompt == 0) {
      throw RequestException.invalid(param, "the prompt has no tokens");
    }
    int least = asked.orElse(1);
    if ((long) prompt + least > context) {
      throw new RequestException(
          400,
          "invalid_request_error",
          param,
          "context_length_exceeded",
          ("this model's maximum context length is %d tokens, but the prompt has %d, and at"
                  + " least %d are to be generated")
              .formatted(context, prompt, least));
    }
    return asked.orElse(Math.min(otherwise, context - prompt));
  }

  private static String shortened(String text) {
    return text.length() > 80 ? text.substring(0, 80) + "…" : text;
  }
}
