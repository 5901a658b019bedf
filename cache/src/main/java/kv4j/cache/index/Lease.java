package kv4j.cache.index;

/** Keeps the whole blocks that a lookup found in the index, until it is closed. */
public final class Lease<B> implements AutoCloseable {
  private final PrefixIndex<B> index;
  final Keyspace space;
  Node<B> node; // where the pinned path ends; null once given back; guarded by the index's lock

  Lease(PrefixIndex<B> index, Keyspace space, Node<B> node) {
    this.index = index;
    this.space = space;
    this.node = node;
  }

  /** May be called more than once. */
  @Override
  public void close() {
    index.release(this);
  }
}
