package kv4j.apps.serve.admin;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.javalin.http.Context;
import java.io.IOException;
import java.util.OptionalLong;
import java.util.UUID;
import java.util.concurrent.Semaphore;
import kv4j.apps.serve.host.ServedModel;
import kv4j.apps.serve.http.EventStream;
import kv4j.apps.serve.http.Gate;
import kv4j.apps.serve.http.View;
import kv4j.apps.serve.openai.RequestException;
import kv4j.apps.serve.openai.StrictJson;

/**
 * Lets clients follow what happens. Each begins with a snapshot of the cache's tree, unless it can
 * go on after the last event it had.
 */
public final class EventRoutes {
  /** Each takes a thread. */
  public static final int MOST_FOLLOWERS = 32;

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
    View view = gate.view(ctx);
    if (!places.tryAcquire()) {
      throw RequestException.of(
          429, "too_many_followers", "%d clients follow already".formatted(MOST_FOLLOWERS));
    }
    try {
      new Follower(model, view, new Stream(new EventStream(ctx), run))
          .follow(lastSeen(ctx.header("Last-Event-ID")), () -> closed);
    } finally {
      places.release();
    }
  }

  private OptionalLong lastSeen(String id) {
    if (id == null || !id.matches(run + "-\\d{1,18}")) {
      return OptionalLong.empty();
    }
    long number = Long.parseLong(id.substring(run.length() + 1));
    return model.events().has(number) ? OptionalLong.of(number) : OptionalLong.empty();
  }

  private record Stream(EventStream out, String run) implements Follower.Sink {
    @Override
    public void event(String name, long number, ObjectNode json) throws IOException {
      out.event(name, run + "-" + number, StrictJson.write(json));
    }

    @Override
    public void signOfLife() throws IOException {
      out.signOfLife();
    }
  }
}
