package kv4j.apps.serve.host;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.OptionalDouble;
import kv4j.apps.serve.engine.Finished;
import kv4j.apps.serve.events.EventLog;
import kv4j.apps.serve.host.ServerMetrics.Outcome;

/** Takes note of what becomes of requests: in the metrics, among the events, and of their cost. */
public final class Recorder {
  private static final double NANOS_PER_MS = 1e6;

  private final ServerMetrics metrics;
  private final EventLog events;
  private final PrefillCost cost = new PrefillCost();

  public Recorder(ServerMetrics metrics, EventLog events) {
    this.metrics = metrics;
    this.events = events;
  }

  /** What a computed prompt token has cost so far, in ms. */
  public OptionalDouble prefillMsPerToken() {
    return cost.msPerToken();
  }

  private static ObjectNode event(String request) {
    return JsonNodeFactory.instance.objectNode().put("request", request);
  }

  /** A request was taken. */
  public void queued(String request, Tenant tenant, int prompt, String user, String cacheKey) {
    ObjectNode json = event(request).put("namespace", tenant.name()).put("prompt_tokens", prompt);
    events.add("queued", json.put("user", user).put("prompt_cache_key", cacheKey));
  }

  /** A chunk of its prompt was computed; so many tokens of it are in place. */
  public void prefilled(String request, int tokens) {
    events.add("prefill", event(request).put("tokens", tokens));
  }

  /** It has its first token. */
  public void firstToken(String request) {
    events.add("first_token", event(request));
  }

  /** It has ended. */
  public void finished(String request, Finished finished) {
    metrics.count(finished);
    cost.add(finished);
    ObjectNode json = event(request).put("tokens", finished.tokens());
    json.put("cancelled", finished.cancelled()).put("queue_ms", ms(finished.queueNanos()));
    json.put("prefill_ms", ms(finished.prefillNanos()));
    events.add("finished", json.put("decode_ms", ms(finished.decodeNanos())));
  }

  private static double ms(long nanos) {
    return nanos / NANOS_PER_MS;
  }

  /** It broke. */
  public void failed(String request) {
    metrics.count(Outcome.FAILED);
    events.add("failed", event(request));
  }

  /** It was not taken, as too many were waiting. */
  public void rejected(String request) {
    metrics.count(Outcome.REJECTED);
    events.add("rejected", event(request));
  }
}
