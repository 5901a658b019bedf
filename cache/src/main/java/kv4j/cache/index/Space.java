package kv4j.cache.index;

import kv4j.cache.KvRequest;

/** What must be equal before tokens are compared at all: one tree each. */
public record Space(String namespace, String model, String salt) {
  public static Space of(KvRequest request) {
    return new Space(request.namespace(), request.model(), request.salt());
  }

  /** Whether lookups elsewhere may be told of what is stored here. */
  boolean isSalted() {
    return !salt.isEmpty();
  }
}
