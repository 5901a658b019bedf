package kv4j.apps.serve.admin;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.function.BooleanSupplier;
import kv4j.apps.serve.events.EventLog;
import kv4j.apps.serve.host.ServedModel;
import kv4j.apps.serve.http.View;
import kv4j.cache.TreeSnapshot;

/**
 * Tells somebody of everything that happens: a snapshot of the cache's tree first, then events and,
 * to whom may see all, the cache's figures whenever they have changed.
 */
final class Follower {
  /** How often figures are told, and how long it may be before it shows that nobody listens. */
  private static final Duration BEAT = Duration.ofMillis(500);

  private final ServedModel model;
  private final View view;
  private final Sink sink;
  private final EventLog log;
  private Optional<ObjectNode> figures = Optional.empty();
  private long told = System.nanoTime() - BEAT.toNanos();

  /** Where events go. */
  interface Sink {
    /**
     * Takes an event.
     *
     * @param number of the last event of the log that was told, this one included
     * @throws IOException if nobody is there any more
     */
    void event(String name, long number, ObjectNode json) throws IOException;

    /**
     * Nothing has happened for a while.
     *
     * @throws IOException if nobody is there any more
     */
    void signOfLife() throws IOException;
  }

  Follower(ServedModel model, View view, Sink sink) {
    this.model = model;
    this.view = view;
    this.sink = sink;
    log = model.events();
  }

  /**
   * Tells of what happens, up to when it is told to end or events were lost.
   *
   * @param after the last event that is known already; empty: begins with a snapshot
   * @throws IOException if nobody is there any more
   */
  void follow(OptionalLong after, BooleanSupplier ended) throws IOException, InterruptedException {
    // First the place among the events, then the tree, which thus has all events up to there.
    long last = after.orElse(log.last());
    long known = 0;
    if (after.isEmpty()) {
      TreeSnapshot tree = model.cache().snapshot().orElseThrow();
      known = tree.number();
      sink.event("snapshot", last, now(TreeJson.tree(tree, model, view)));
    }
    boolean end;
    do {
      end = ended.getAsBoolean();
      Optional<List<EventLog.Entry>> next = log.after(last, end ? Duration.ZERO : BEAT);
      if (next.isEmpty()) {
        ObjectNode json =
            JsonNodeFactory.instance
                .objectNode()
                .put("reason", "the events after this one are gone");
        sink.event("dropped", last, now(json));
        return;
      }
      if (next.get().isEmpty()) {
        sink.signOfLife();
      }
      for (EventLog.Entry entry : next.get()) {
        last = entry.number();
        if (view.shows(entry.namespace()) && (entry.ofCache() == 0 || entry.ofCache() > known)) {
          sink.event(entry.name(), last, entry.json().get().put("time", entry.time()));
        }
      }
      tellFigures(last);
    } while (!end);
  }

  private void tellFigures(long last) throws IOException {
    if (!view.isAll() || System.nanoTime() - told < BEAT.toNanos()) {
      return;
    }
    told = System.nanoTime();
    ObjectNode now = TreeJson.figures(model);
    if (!figures.equals(Optional.of(now))) {
      figures = Optional.of(now);
      sink.event("figures", last, now(now.deepCopy()));
    }
  }

  private static ObjectNode now(ObjectNode json) {
    return json.put("time", System.currentTimeMillis());
  }
}
