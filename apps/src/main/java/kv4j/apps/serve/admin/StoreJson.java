package kv4j.apps.serve.admin;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.Optional;
import kv4j.apps.cli.Values;
import kv4j.apps.serve.host.ServedModel;
import kv4j.cache.CacheStats;
import kv4j.cache.store.StoreContents;
import kv4j.cache.store.StoreStats;

/** The store behind a cache as JSON. */
final class StoreJson {
  private StoreJson() {}

  /** What is there, and what the cache has asked of it; empty if there is none. */
  static Optional<ObjectNode> of(ServedModel model, CacheStats stats) {
    return stats.store().map(store -> of(model, store));
  }

  private static ObjectNode of(ServedModel model, StoreStats stats) {
    ObjectNode json = JsonNodeFactory.instance.objectNode();
    model.store().kind().ifPresent(kind -> json.put("kind", kind));
    model.store().state().ifPresent(state -> json.put("state", Values.name(state)));
    Optional<StoreContents> contents = model.store().contents();
    json.put("values", contents.map(StoreContents::values).orElse(null));
    json.put("bytes", contents.map(StoreContents::bytes).orElse(null));
    var nodes = json.putArray("nodes");
    contents.ifPresent(all -> all.nodes().forEach(nodes::add));
    json.put("asked", stats.asked()).put("hits", stats.hits());
    json.put("asked_tokens", stats.askedTokens()).put("hit_tokens", stats.hitTokens());
    json.put("read_bytes", stats.readBytes()).put("read_nanos", stats.readNanos());
    json.put("not_open", stats.notOpen()).put("slower", stats.slower());
    json.put("late", stats.late()).put("damaged", stats.damaged()).put("failed", stats.failed());
    json.put("written", stats.written()).put("written_bytes", stats.writtenBytes());
    json.put("write_nanos", stats.writeNanos()).put("write_failed", stats.writeFailed());
    json.put("dropped", stats.dropped()).put("queued_bytes", stats.queuedBytes());
    json.put("read_nanos_per_token", stats.readNanosPerToken());
    return json.put("compute_nanos_per_token", stats.computeNanosPerToken());
  }
}
