package kv4j.cache.index;

/**
 * Keeps the whole blocks that a lookup found in the index, and the room reserved for what is
 * computed beyond them, until it is closed.
 */
public final class Lease<B> implements AutoCloseable {
  private final PrefixIndex<B> index;
  final Keyspace space;
  final String label; // of the request
  // Guarded by the index's lock:
  Node<B> node; // where the pinned path ends; null once given back
  long reserved; // bytes

  Lease(PrefixIndex<B> index, Keyspace space, String label, Node<B> node) {
    this.index = index;
    this.space = space;
    this.label = label;
    this.node = node;
  }

  /** May be called more than once. */
  @Override
  public void close() {
    index.release(this);
  }
}
