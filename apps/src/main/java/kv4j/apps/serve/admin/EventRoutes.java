package kv4j.apps.serve.admin;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.javalin.http.Context;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.OptionalLong;
import java.util.UUID;
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

  /** So that no tenant keeps the others out. */
  private static final int MOST_OF_A_TENANT = 8;

  /** Tells events of this server's run from another's. */
  private final String run = UUID.randomUUID().toString().substring(0, 8);

  private final ServedModel model;
  private final Gate gate;
  private final List<View> followers = new ArrayList<>(); // what each may see
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
    enter(view);
    try {
      new Follower(model, view, new Stream(new EventStream(ctx), run))
          .follow(lastSeen(ctx.header("Last-Event-ID")), () -> closed);
    } finally {
      leave(view);
    }
  }

  private synchronized void enter(View view) {
    int same = Collections.frequency(followers, view);
    if (followers.size() >= MOST_FOLLOWERS || !view.isAll() && same >= MOST_OF_A_TENANT) {
      throw RequestException.of(
          429, "too_many_followers", "as many clients as may be follow already");
    }
    followers.add(view);
  }

  private synchronized void leave(View view) {
    followers.remove(view);
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
