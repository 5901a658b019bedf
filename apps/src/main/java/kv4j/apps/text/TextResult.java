package kv4j.apps.text;

import kv4j.apps.report.Format;
import kv4j.inference.GenerationResult;

/**
 * What came of a prompt, as JSON has it.
 *
 * @param promptTokens ids of the prompt
 * @param tokens ids generated, without an end token
 * @param text generated, up to a stop text
 * @param cachedTokens leading prompt tokens that the cache had
 * @param storeTokens those of the cached tokens that were read from a store for this prompt
 * @param ttftMs time to first token, ms
 * @param fault one clause: what of the cached keys and values was wrong on purpose; or empty
 * @param tokensPerSecond new tokens after the first, by the time they took; NaN if there are none
 */
public record TextResult(
    int[] promptTokens,
    int[] tokens,
    String text,
    int cachedTokens,
    int storeTokens,
    String fault,
    double ttftMs,
    double tokensPerSecond) {
  static TextResult of(int[] prompt, TextStream stream, GenerationResult result) {
    int after = result.tokens().length - 1;
    double seconds = (result.latencyNanos() - result.ttftNanos()) / 1e9;
    return new TextResult(
        prompt,
        stream.tokens(),
        stream.text(),
        result.lookup().cachedTokens(),
        result.lookup().storeTokens(),
        result.lookup().fault(),
        result.ttftNanos() / 1e6,
        after == 0 ? Double.NaN : after / seconds);
  }

  /** In one line for people. */
  public String summary() {
    return summary(0);
  }

  /**
   * In one line for people.
   *
   * @param ofAnswers how many of the cached tokens the model wrote itself, earlier
   */
  public String summary(int ofAnswers) {
    String answers = ofAnswers == 0 ? "" : ", %d of these of earlier answers".formatted(ofAnswers);
    String stored = storeTokens == 0 ? "" : ", %d of these from the store".formatted(storeTokens);
    String spoiled = fault.isEmpty() ? "" : "; spoiled on purpose: " + fault;
    return "prompt %d tokens, %d of them cached%s%s; TTFT %s ms; %d new tokens, %s tokens/s%s"
        .formatted(
            promptTokens.length,
            cachedTokens,
            stored,
            answers,
            Format.number(ttftMs),
            tokens.length,
            Format.number(tokensPerSecond),
            spoiled);
  }
}
