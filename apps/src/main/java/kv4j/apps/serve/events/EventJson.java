package kv4j.apps.serve.events;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.Locale;
import kv4j.apps.text.TokenTexts;
import kv4j.cache.CacheEvent;
import kv4j.cache.Lookup;
import kv4j.model.Tokenizer;

/** Events of the cache as JSON. */
final class EventJson {
  private EventJson() {}

  static String name(CacheEvent event) {
    return event.getClass().getSimpleName().toLowerCase(Locale.ROOT);
  }

  /** How many tokens an event keeps in memory. */
  static int tokens(CacheEvent event) {
    return event instanceof CacheEvent.Inserted inserted ? inserted.tokens().length : 0;
  }

  static ObjectNode of(CacheEvent event, Tokenizer tokenizer) {
    ObjectNode json = JsonNodeFactory.instance.objectNode().put("number", event.number());
    json.put("namespace", event.namespace());
    if (event instanceof CacheEvent.Found found) {
      Lookup lookup = found.lookup();
      json.put("run", found.run()).put("prompt_tokens", lookup.promptTokens());
      json.put("cached_tokens", lookup.cachedTokens());
      json.put("store_tokens", lookup.storeTokens());
      json.put("reason", lookup.reason().name().toLowerCase(Locale.ROOT));
      int[] stored = lookup.stored().stream().mapToInt(Integer::intValue).toArray();
      texts(json.putArray("stored"), tokenizer, stored);
      json.put("request", found.label());
    } else if (event instanceof CacheEvent.Inserted inserted) {
      json.put("salted", inserted.salted());
      json.put("run", inserted.run()).put("parent", inserted.parent());
      json.put("start", inserted.start());
      ArrayNode tokens = json.putArray("tokens");
      for (int token : inserted.tokens()) {
        tokens.add(token);
      }
      texts(json.putArray("texts"), tokenizer, inserted.tokens());
      json.put("request", inserted.label());
      json.put("entries", inserted.entries()).put("bytes", inserted.bytes());
    } else if (event instanceof CacheEvent.Split split) {
      json.put("run", split.run()).put("upper", split.upper()).put("at", split.at());
      json.put("entries", split.entries()).put("bytes", split.bytes());
    } else if (event instanceof CacheEvent.Removed removed) {
      json.put("run", removed.run()).put("start", removed.start());
      json.put("tokens", removed.tokens()).put("entries", removed.entries());
      json.put("bytes", removed.bytes());
      json.put("cause", removed.cause().name().toLowerCase(Locale.ROOT));
    } else if (event instanceof CacheEvent.Pinned pinned) {
      json.put("run", pinned.run()).put("name", pinned.name());
    } else if (event instanceof CacheEvent.Unpinned unpinned) {
      json.put("run", unpinned.run()).put("name", unpinned.name());
    }
    return json;
  }

  private static void texts(ArrayNode array, Tokenizer tokenizer, int... tokens) {
    TokenTexts.of(tokenizer, tokens).forEach(array::add);
  }
}
