package kv4j.apps.serve.admin;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.javalin.http.Context;
import java.time.Duration;
import java.util.Optional;
import kv4j.apps.serve.host.ServedModel;
import kv4j.apps.serve.http.Bodies;
import kv4j.apps.serve.http.Gate;
import kv4j.apps.serve.http.View;
import kv4j.apps.serve.openai.RequestException;
import kv4j.cache.radix.RunMagnitudes;

/** Shows the cache, and lets it be steered. */
public final class CacheRoutes {
  private static final Duration PATIENCE = Duration.ofSeconds(5);

  private final ServedModel model;
  private final Gate gate;
  private final Pins pins;

  public CacheRoutes(ServedModel model, Gate gate, Pins pins) {
    this.model = model;
    this.gate = gate;
    this.pins = pins;
  }

  private static ObjectNode object() {
    return JsonNodeFactory.instance.objectNode();
  }

  /** {@code GET /cache}. */
  public void tree(Context ctx) {
    View view = gate.view(ctx);
    Bodies.answer(ctx, 200, TreeJson.tree(model.cache().snapshot().orElseThrow(), model, view));
  }

  /** {@code GET /cache/runs/ID}. */
  public void run(Context ctx) {
    View view = gate.view(ctx);
    String id = ctx.pathParam("id");
    RunMagnitudes run =
        Optional.of(id)
            .filter(text -> text.matches("\\d{1,18}"))
            .flatMap(text -> model.cache().magnitudes(Long.parseLong(text)))
            .filter(found -> view.shows(found.run().namespace()))
            .orElseThrow(
                () -> RequestException.of(404, "no_such_run", "there is no run of that number"));
    Bodies.answer(ctx, 200, TreeJson.run(run, model.card().tokenizer()));
  }

  /** {@code GET /cache/stats}. */
  public void stats(Context ctx) {
    gate.requireAdmin(ctx);
    Bodies.answer(ctx, 200, TreeJson.stats(model));
  }

  /** {@code POST /cache/warm}. */
  public void warm(Context ctx) throws Exception {
    gate.requireAdmin(ctx);
    ObjectNode json = object();
    pins.warm(Bodies.object(ctx)).addTo(json);
    Bodies.answer(ctx, 200, json);
  }

  /** {@code GET /cache/pins}. */
  public void pins(Context ctx) {
    gate.requireAdmin(ctx);
    ObjectNode json = object();
    ArrayNode all = json.putArray("pins");
    pins.all().forEach(pin -> pin.addTo(all.addObject()));
    Bodies.answer(ctx, 200, json);
  }

  /** {@code GET /cache/pins/NAME}. */
  public void pin(Context ctx) {
    gate.requireAdmin(ctx);
    ObjectNode json = object();
    pins.find(ctx.pathParam("name")).orElseThrow(CacheRoutes::unknown).addTo(json);
    Bodies.answer(ctx, 200, json);
  }

  /** {@code DELETE /cache/pins/NAME}. */
  public void unpin(Context ctx) {
    gate.requireAdmin(ctx);
    String name = ctx.pathParam("name");
    if (!pins.remove(name)) {
      throw unknown();
    }
    Bodies.answer(ctx, 200, object().put("name", name).put("deleted", true));
  }

  private static RequestException unknown() {
    return RequestException.of(404, "no_such_pin", "there is no pin of that name");
  }

  /** {@code POST /reset_prefix_cache}. */
  public void reset(Context ctx) {
    gate.requireAdmin(ctx);
    if (!pins.clearCache(PATIENCE)) {
      throw RequestException.of(
          409, "cache_in_use", "requests were running all the time; nothing was removed");
    }
    Bodies.answer(ctx, 200, object().put("reset", true));
  }
}
