package kv4j.apps.serve.host;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.OptionalDouble;
import java.util.stream.IntStream;
import kv4j.apps.serve.events.EventLog;
import kv4j.apps.serve.host.ServerMetrics.Outcome;
import kv4j.apps.text.TokenTexts;
import kv4j.inference.schedule.ScheduledResult;
import kv4j.model.Tokenizer;

/** Takes note of what becomes of one request. Used by one thread at a time. */
public final class RequestRecord {
  private static final double NANOS_PER_MS = 1e6;

  private final String name;
  private final String namespace;
  private final Recorder recorder;
  private final EventLog events;
  private final Tokenizer tokenizer;
  private final IntStream.Builder generated = IntStream.builder();
  private boolean begun;

  RequestRecord(
      String name, String namespace, Recorder recorder, EventLog events, Tokenizer tokenizer) {
    this.name = name;
    this.namespace = namespace;
    this.recorder = recorder;
    this.events = events;
    this.tokenizer = tokenizer;
  }

  private ObjectNode event() {
    return JsonNodeFactory.instance.objectNode().put("request", name).put("namespace", namespace);
  }

  private void add(String event, ObjectNode json) {
    events.add(event, namespace, 0, json::deepCopy);
  }

  private void texts(ObjectNode json, int... tokens) {
    TokenTexts.of(tokenizer, tokens).forEach(json.putArray("texts")::add);
  }

  void queued(int[] prompt, String user, String cacheKey) {
    events.add(
        "queued",
        namespace,
        prompt.length,
        () -> {
          ObjectNode json = event().put("prompt_tokens", prompt.length);
          json.put("user", user).put("prompt_cache_key", cacheKey);
          texts(json, prompt);
          return json;
        });
  }

  /** A chunk of its prompt was computed; so many tokens of it are in place. */
  public void prefilled(int tokens) {
    add("prefill", event().put("tokens", tokens));
  }

  /** It has another token. */
  public void token(int token) {
    if (!begun) {
      begun = true;
      add("first_token", event());
    }
    generated.add(token);
  }

  /** It has ended. */
  public void finished(ScheduledResult result) {
    recorder.count(result);
    int[] tokens = generated.build().toArray();
    OptionalDouble cost = recorder.prefillMsPerToken();
    Double msPerToken = cost.isPresent() ? (Double) cost.getAsDouble() : null;
    events.add(
        "finished",
        namespace,
        tokens.length,
        () -> {
          ObjectNode json = event().put("tokens", tokens.length);
          json.put("cancelled", result.end() == ScheduledResult.End.CANCELLED);
          json.put("queue_ms", ms(result.queuedNanos()));
          json.put("prefill_ms", ms(result.prefillNanos()));
          json.put("decode_ms", ms(result.decodeNanos()));
          json.put("prefill_ms_per_token", msPerToken);
          texts(json, tokens);
          return json;
        });
  }

  private static double ms(long nanos) {
    return nanos / NANOS_PER_MS;
  }

  /** It broke. */
  public void failed() {
    recorder.count(Outcome.FAILED);
    add("failed", event());
  }

  /** It was not taken, as too many were waiting. */
  public void rejected() {
    recorder.count(Outcome.REJECTED);
    add("rejected", event());
  }
}
