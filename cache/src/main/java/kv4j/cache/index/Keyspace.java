package kv4j.cache.index;

import java.util.List;
import kv4j.cache.KvRequest;

/**
 * Whose tokens: only requests of the same namespace, model and salt share anything, so each
 * combination has a tree of its own.
 */
public record Keyspace(String namespace, String model, String salt) {
  public static Keyspace of(KvRequest request) {
    return new Keyspace(request.namespace(), request.model(), request.salt());
  }

  /**
   * A hash of 64 bits over all three. Java's own hash codes would not do: different names with
   * equal ones are easy to come by, and easy to choose on purpose.
   */
  long hash(long seed) {
    long hash = seed;
    for (String part : List.of(namespace, model, salt)) {
      hash = AbsenceReasons.hash(hash, part.chars().toArray(), 0, part.length());
      hash = AbsenceReasons.hash(hash, new int[] {part.length()}, 0, 1);
    }
    return hash;
  }

  /** Whether lookups elsewhere may be told of what is stored here. */
  boolean isSalted() {
    return !salt.isEmpty();
  }
}
