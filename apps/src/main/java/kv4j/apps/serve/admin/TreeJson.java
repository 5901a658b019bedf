package kv4j.apps.serve.admin;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.HashSet;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.Set;
import kv4j.apps.serve.host.ServedModel;
import kv4j.apps.serve.http.View;
import kv4j.apps.serve.openai.Account;
import kv4j.apps.text.TokenTexts;
import kv4j.cache.CacheStats;
import kv4j.cache.TreeSnapshot;
import kv4j.cache.block.KvLayout;
import kv4j.cache.radix.RunMagnitudes;
import kv4j.inference.schedule.SchedulerStats;
import kv4j.model.Tokenizer;
import kv4j.model.chat.ChatTemplate;

/** A cache's tree and figures as JSON. */
final class TreeJson {
  private TreeJson() {}

  /** The part of a tree that may be seen, and of the model what it takes to understand that. */
  static ObjectNode tree(TreeSnapshot tree, ServedModel model, View view) {
    ObjectNode json = JsonNodeFactory.instance.objectNode().put("number", tree.number());
    json.put("max_bytes", tree.maxBytes());
    model(json.putObject("model"), model);
    if (view.isAll()) {
      storage(json.putObject("storage"), tree.storage());
      StoreJson.of(model, model.cache().stats()).ifPresent(store -> json.set("store", store));
    }
    ArrayNode runs = json.putArray("runs");
    Set<Long> shown = new HashSet<>();
    for (TreeSnapshot.Run run : tree.runs()) {
      if (view.shows(run.namespace())) {
        shown.add(run.id());
        run(runs.addObject(), run, model.card().tokenizer());
      }
    }
    ObjectNode pinned = json.putObject("pinned");
    tree.pinned().forEach((name, run) -> put(pinned, name, run, shown));
    return json;
  }

  private static void put(ObjectNode pinned, String name, long run, Set<Long> shown) {
    if (shown.contains(run)) {
      pinned.put(name, run);
    }
  }

  private static void model(ObjectNode json, ServedModel model) {
    KvLayout layout = model.layout();
    Optional<ChatTemplate> template = model.card().template();
    json.put("id", model.card().id()).put("context", model.card().context());
    json.put("chat_template", template.isPresent());
    json.put("tools", template.map(ChatTemplate::takesTools).orElse(false));
    json.put("layers", layout.layers()).put("kv_heads", layout.kvHeads());
    json.put("head_dim", layout.headDim()).put("block_tokens", layout.blockTokens());
    json.put("bytes_per_element", layout.dtype().bytesPerElement());
    json.put("bytes_per_token", layout.bytesPerToken());
  }

  private static void run(ObjectNode json, TreeSnapshot.Run run, Tokenizer tokenizer) {
    json.put("id", run.id()).put("parent", run.parent());
    json.put("namespace", run.namespace()).put("salted", run.salted());
    json.put("start", run.start());
    ArrayNode tokens = json.putArray("tokens");
    for (int token : run.tokens()) {
      tokens.add(token);
    }
    ArrayNode texts = json.putArray("texts");
    TokenTexts.of(tokenizer, run.tokens()).forEach(texts::add);
    json.put("text", Account.text(tokenizer, run.tokens()));
    json.put("entries", run.entries()).put("bytes", run.bytes()).put("pins", run.pins());
    json.put("hits", run.hits()).put("age_ms", run.age().toMillis()).put("request", run.label());
  }

  /** A run with the mean sizes of its keys and values, each {@code [layers][kvHeads]}. */
  static ObjectNode run(RunMagnitudes magnitudes, Tokenizer tokenizer) {
    ObjectNode json = JsonNodeFactory.instance.objectNode();
    run(json, magnitudes.run(), tokenizer);
    matrix(json.putArray("keys"), magnitudes.keys());
    matrix(json.putArray("values"), magnitudes.values());
    return json;
  }

  private static void matrix(ArrayNode json, float[]... rows) {
    for (float[] row : rows) {
      ArrayNode one = json.addArray();
      for (float element : row) {
        one.add(element);
      }
    }
  }

  /** What the cache holds and the engine has to do right now. */
  static ObjectNode figures(ServedModel model) {
    ObjectNode json = JsonNodeFactory.instance.objectNode();
    CacheStats stats = model.cache().stats();
    storage(json, stats.storage());
    ObjectNode asked = json.putObject("asked").put("lookups", stats.lookups().count());
    asked.put("prompt_tokens", stats.lookups().promptTokens());
    asked.put("cached_tokens", stats.lookups().cachedTokens());
    asked.put("store_tokens", stats.lookups().storeTokens());
    StoreJson.of(model, stats).ifPresent(store -> json.set("store", store));
    OptionalDouble cost = model.recorder().prefillMsPerToken();
    asked.put("prefill_ms_per_token", cost.isPresent() ? (Double) cost.getAsDouble() : null);
    SchedulerStats load = model.scheduler().stats();
    return json.put("running", load.running()).put("waiting", load.waiting());
  }

  /** All that has been counted. */
  static ObjectNode stats(ServedModel model) {
    CacheStats stats = model.cache().stats();
    ObjectNode json = JsonNodeFactory.instance.objectNode();
    CacheStats.Lookups lookups = stats.lookups();
    ObjectNode asked = json.putObject("lookups").put("count", lookups.count());
    asked.put("hits", lookups.hits()).put("prompt_tokens", lookups.promptTokens());
    asked.put("cached_tokens", lookups.cachedTokens());
    asked.put("store_tokens", lookups.storeTokens());
    asked.put("token_hit_rate", lookups.tokenHitRate());
    asked.put("request_hit_rate", lookups.requestHitRate());
    ObjectNode reasons = asked.putObject("reasons");
    lookups.reasons().entrySet().stream()
        .sorted(Map.Entry.comparingByKey())
        .forEach(entry -> reasons.put(name(entry.getKey()), entry.getValue()));
    asked.put("partial_copies", lookups.partialCopies()).put("nanos", lookups.nanos());
    storage(json.putObject("storage"), stats.storage());
    StoreJson.of(model, stats).ifPresent(store -> json.set("store", store));
    return json;
  }

  private static void storage(ObjectNode json, CacheStats.Storage storage) {
    json.put("entries", storage.entries()).put("bytes", storage.bytes());
    json.put("peak_bytes", storage.peakBytes()).put("pinned_bytes", storage.pinnedBytes());
    json.put("running_bytes", storage.runningBytes()).put("inserted", storage.inserted());
    ObjectNode removed = json.putObject("removed");
    for (CacheStats.Removal cause : CacheStats.Removal.values()) {
      removed.put(name(cause), storage.removed(cause));
    }
    json.put("no_room", storage.noRoom());
  }

  private static String name(Enum<?> constant) {
    return constant.name().toLowerCase(Locale.ROOT);
  }
}
