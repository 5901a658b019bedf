package kv4j.apps.serve.admin;

import io.javalin.http.Context;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.Semaphore;
import kv4j.apps.serve.events.EventLog;
import kv4j.apps.serve.host.ServedModel;
import kv4j.apps.serve.http.EventStream;
import kv4j.apps.serve.http.Gate;
import kv4j.apps.serve.openai.RequestException;
import kv4j.apps.serve.openai.StrictJson;
import kv4j.cache.TreeSnapshot;

/**
 * Lets clients follow what happens. Each begins with a snapshot of the cache's tree, unless it can
 * go on after the last event it had.
 */
public final class EventRoutes {
  /** Each takes a thread. */
  public static final int MOST_FOLLOWERS = 32;

  private static final Duration SIGN_OF_LIFE = Duration.ofSeconds(1);

  /** Tells events of this server's run from another's. */
  private final String run = UUID.randomUUID().toString().substring(0, 8);

  private final ServedModel model;
  private final Gate gate;
  private final Semaphore places = new Semaphore(MOST_FOLLOWERS);
  private volatile boolean closed;

  public EventRoutes(ServedModel model, Gate gate) {
    this.model = model;
    this.gate = gate;
  }

  /** Sends everybody away. */
  public void close() {
    closed = true;
  }

  /** {@code GET /events}. */
  public void follow(Context ctx) throws IOException, InterruptedException {
    gate.requireAdmin(ctx);
    if (!places.tryAcquire()) {
      throw RequestException.of(
          429, "too_many_followers", "%d clients follow already".formatted(MOST_FOLLOWERS));
    }
    try {
      follow(new EventStream(ctx), lastSeen(ctx.header("Last-Event-ID")));
    } finally {
      places.release();
    }
  }

  private Optional<Long> lastSeen(String id) {
    return Optional.ofNullable(id)
        .filter(text -> text.matches(run + "-\\d{1,18}"))
        .map(text -> Long.valueOf(text.substring(run.length() + 1)))
        .filter(model.events()::has);
  }

  private void follow(EventStream out, Optional<Long> lastSeen)
      throws IOException, InterruptedException {
    EventLog log = model.events();
    // First the place among the events, then the tree, which thus has all events up to there.
    long last = lastSeen.isPresent() ? lastSeen.get() : log.last();
    long known = 0;
    if (lastSeen.isEmpty()) {
      TreeSnapshot tree = model.cache().snapshot().orElseThrow();
      known = tree.number();
      out.event(
          "snapshot", id(last), StrictJson.write(TreeJson.tree(tree, model.card().tokenizer())));
    }
    while (!closed) {
      Optional<List<EventLog.Entry>> next = log.after(last, SIGN_OF_LIFE);
      if (next.isEmpty()) {
        out.event("dropped", id(last), "{\"reason\":\"the events after this one are gone\"}");
        return;
      }
      if (next.get().isEmpty()) {
        out.signOfLife();
      }
      for (EventLog.Entry entry : next.get()) {
        last = entry.number();
        if (entry.ofCache() == 0 || entry.ofCache() > known) {
          out.event(entry.name(), id(last), StrictJson.write(entry.json().get()));
        }
      }
    }
  }

  private String id(long number) {
    return run + "-" + number;
  }
}
