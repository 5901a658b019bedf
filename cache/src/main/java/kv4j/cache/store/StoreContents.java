package kv4j.cache.store;

import java.util.List;

/**
 * What is in a store.
 *
 * @param values how many; as many as are known of, where a store spans several machines
 * @param bytes that they take
 * @param nodes names of the processes that keep them together, this one first; empty for a store
 *     that is one process's alone
 */
public record StoreContents(long values, long bytes, List<String> nodes) {
  public StoreContents {
    nodes = List.copyOf(nodes);
  }
}
