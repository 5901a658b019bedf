package kv4j.apps.serve.host;

import java.util.OptionalDouble;
import kv4j.apps.serve.engine.Finished;
import kv4j.apps.serve.events.EventLog;
import kv4j.apps.serve.host.ServerMetrics.Outcome;
import kv4j.model.Tokenizer;

/** Takes note of what becomes of requests: in the metrics, among the events, and of their cost. */
public final class Recorder {
  private final ServerMetrics metrics;
  private final EventLog events;
  private final Tokenizer tokenizer;
  private final PrefillCost cost = new PrefillCost();

  public Recorder(ServerMetrics metrics, EventLog events, Tokenizer tokenizer) {
    this.metrics = metrics;
    this.events = events;
    this.tokenizer = tokenizer;
  }

  /** What a computed prompt token has cost so far, in ms. */
  public OptionalDouble prefillMsPerToken() {
    return cost.msPerToken();
  }

  /**
   * A request was taken.
   *
   * @param name what events call it
   * @return takes note of what comes of it
   */
  public RequestRecord queued(
      String name, Tenant tenant, int[] prompt, String user, String cacheKey) {
    RequestRecord record = new RequestRecord(name, tenant.name(), this, events, tokenizer);
    record.queued(prompt, user, cacheKey);
    return record;
  }

  void count(Finished finished) {
    metrics.count(finished);
    cost.add(finished);
  }

  void count(Outcome outcome) {
    metrics.count(outcome);
  }
}
