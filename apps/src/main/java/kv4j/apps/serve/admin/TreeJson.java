package kv4j.apps.serve.admin;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.Locale;
import java.util.Map;
import kv4j.apps.serve.openai.Account;
import kv4j.cache.CacheStats;
import kv4j.cache.TreeSnapshot;
import kv4j.model.Tokenizer;

/** A cache's tree and figures as JSON. */
final class TreeJson {
  private TreeJson() {}

  static ObjectNode tree(TreeSnapshot tree, Tokenizer tokenizer) {
    ObjectNode json = JsonNodeFactory.instance.objectNode().put("number", tree.number());
    json.put("max_bytes", tree.maxBytes());
    storage(json.putObject("storage"), tree.storage());
    ArrayNode runs = json.putArray("runs");
    for (TreeSnapshot.Run run : tree.runs()) {
      ObjectNode one = runs.addObject().put("id", run.id()).put("parent", run.parent());
      one.put("namespace", run.namespace()).put("salted", run.salted());
      one.put("start", run.start());
      ArrayNode tokens = one.putArray("tokens");
      for (int token : run.tokens()) {
        tokens.add(token);
      }
      one.put("text", Account.text(tokenizer, run.tokens()));
      one.put("entries", run.entries()).put("bytes", run.bytes()).put("pins", run.pins());
      one.put("hits", run.hits()).put("age_ms", run.age().toMillis());
    }
    return json;
  }

  static ObjectNode stats(CacheStats stats) {
    ObjectNode json = JsonNodeFactory.instance.objectNode();
    CacheStats.Lookups lookups = stats.lookups();
    ObjectNode asked = json.putObject("lookups").put("count", lookups.count());
    asked.put("hits", lookups.hits()).put("prompt_tokens", lookups.promptTokens());
    asked.put("cached_tokens", lookups.cachedTokens());
    asked.put("token_hit_rate", lookups.tokenHitRate());
    asked.put("request_hit_rate", lookups.requestHitRate());
    ObjectNode reasons = asked.putObject("reasons");
    lookups.reasons().entrySet().stream()
        .sorted(Map.Entry.comparingByKey())
        .forEach(entry -> reasons.put(name(entry.getKey()), entry.getValue()));
    asked.put("partial_copies", lookups.partialCopies()).put("nanos", lookups.nanos());
    storage(json.putObject("storage"), stats.storage());
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
