package kv4j.apps.serve;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.javalin.http.Context;
import java.io.IOException;
import java.time.Instant;
import kv4j.apps.cli.Version;
import kv4j.apps.serve.host.ServedModel;
import kv4j.apps.serve.http.Bodies;
import kv4j.apps.serve.http.Gate;
import kv4j.apps.serve.openai.Account;
import kv4j.apps.serve.openai.Ask;
import kv4j.apps.serve.openai.Fields;
import kv4j.apps.serve.openai.ModelCard;
import kv4j.apps.serve.openai.RequestException;
import kv4j.inference.schedule.SchedulerStats;

/** Says what is served and how it is, and turns text into tokens and back. */
final class ModelRoutes {
  private final ServedModel model;
  private final Gate gate;
  private final long begin = Instant.now().getEpochSecond();
  private volatile boolean stopping;

  ModelRoutes(ServedModel model, Gate gate) {
    this.model = model;
    this.gate = gate;
  }

  private static ObjectNode object() {
    return JsonNodeFactory.instance.objectNode();
  }

  void models(Context ctx) {
    gate.requireAny(ctx);
    ObjectNode json = object().put("object", "list");
    describe(json.putArray("data").addObject());
    Bodies.answer(ctx, 200, json);
  }

  void model(Context ctx) {
    gate.requireAny(ctx);
    if (!ctx.pathParam("id").equals(model.card().id())) {
      throw RequestException.of(
          404, "model_not_found", "there is only the model \"%s\"".formatted(model.card().id()));
    }
    ObjectNode json = object();
    describe(json);
    Bodies.answer(ctx, 200, json);
  }

  private void describe(ObjectNode json) {
    json.put("id", model.card().id()).put("object", "model").put("created", begin);
    json.put("owned_by", "kv4j").put("max_model_len", model.card().context());
  }

  /** From now on, the server says that it is no place for new requests. */
  void stopping() {
    stopping = true;
  }

  void health(Context ctx) {
    SchedulerStats load = model.scheduler().stats();
    ObjectNode json = object().put("status", stopping ? "stopping" : "ok");
    json.put("running", load.running()).put("waiting", load.waiting());
    Bodies.answer(ctx, stopping ? 503 : 200, json);
  }

  void version(Context ctx) {
    Bodies.answer(ctx, 200, object().put("version", Version.text()));
  }

  void tokenize(Context ctx) throws IOException {
    gate.requireAny(ctx);
    ModelCard card = model.card();
    Fields fields = new Fields(Bodies.object(ctx));
    card.check(fields);
    int[] tokens = Ask.prefix(fields, card);
    fields.end();
    ObjectNode json = object().put("count", tokens.length).put("max_model_len", card.context());
    ArrayNode array = json.putArray("tokens");
    for (int token : tokens) {
      array.add(token);
    }
    Bodies.answer(ctx, 200, json);
  }

  void detokenize(Context ctx) throws IOException {
    gate.requireAny(ctx);
    ModelCard card = model.card();
    Fields fields = new Fields(Bodies.object(ctx));
    card.check(fields);
    int[] tokens = Ask.tokens(fields.require("tokens"), "tokens", card);
    fields.end();
    Bodies.answer(ctx, 200, object().put("prompt", Account.text(card.tokenizer(), tokens)));
  }
}
