package kv4j.apps.scale;

/**
 * One request of a trace. Ids stand for as many tokens as the {@link Trace} says: the same ids in
 * the same places are the same text.
 *
 * @param seconds when it arrives, from the beginning of the trace
 * @param promptTokens tokens of its prompt
 * @param prompt ids of the prompt; of the last one, at least a token is always computed
 * @param kept ids of what is in place when it is done, what it generated included
 */
public record TraceRequest(double seconds, int promptTokens, int[] prompt, int[] kept) {
  public TraceRequest {
    if (prompt.length == 0 || promptTokens < 1 || !(seconds >= 0)) {
      throw new IllegalArgumentException(
          "a request has a time and a prompt, not %s s, %d tokens and %d ids"
              .formatted(seconds, promptTokens, prompt.length));
    }
  }
}
