package kv4j.cache.index;

import java.util.Comparator;
import java.util.TreeSet;
import kv4j.cache.EvictionPolicy;

/**
 * Decides which nodes must stay, because a sequence or a name pins them, and in which order the
 * others are evicted or expire. The ordered sets hold exactly the nodes that may be removed. Their
 * order depends on a node's fields, so a node is taken out with {@link #detach} before such a field
 * changes and put back with {@link #attach} afterwards.
 */
final class EvictionQueue<B> {
  final TreeSet<Node<B>> evictable; // unpinned leaves, the next to go first
  final TreeSet<Node<B>> expiring; // unpinned nodes with blocks, the oldest first; see ttl
  long pinnedBytes;

  private final EvictionPolicy policy;
  private final long ttl; // nanoseconds; 0: for ever, and `expiring` stays empty
  private final boolean refreshOnHit;
  private long operation;
  private long now;

  EvictionQueue(Limits limits, long now) {
    this.now = now;
    policy = limits.policy();
    ttl = limits.timeToLive();
    refreshOnHit = limits.refreshOnHit();
    Comparator<Node<B>> byRank = Comparator.comparingLong(node -> node.rank);
    Comparator<Node<B>> byTime = Comparator.comparingLong(node -> node.time);
    evictable =
        new TreeSet<>(
            byRank.thenComparingLong(node -> node.used).thenComparingLong(node -> node.id));
    expiring = new TreeSet<>(byTime.thenComparingLong(node -> node.id));
  }

  /**
   * Begins an operation: counts it, and takes its time, which the caller read before it had the
   * lock and which therefore may be earlier than that of the operation before.
   */
  void begin(long nanos) {
    now = nanos - now > 0 ? nanos : now;
    operation++;
  }

  /** The next to make room; null if none may. */
  Node<B> nextVictim() {
    return evictable.isEmpty() ? null : evictable.first();
  }

  /** The node that is overdue longest; null if none is. */
  Node<B> nextExpired() {
    return expiring.isEmpty() || !isExpired(expiring.first()) ? null : expiring.first();
  }

  /**
   * Whether a node has outlived its time to live and must not be found. A pinned node does not
   * expire.
   */
  boolean isExpired(Node<B> node) {
    return mayExpire(node) && age(node) >= ttl;
  }

  /** Nanoseconds since a node was inserted or, with refresh on hit, last used. */
  long age(Node<B> node) {
    return now - node.time;
  }

  /** Dates a node that was just inserted. */
  void date(Node<B> node) {
    node.inserted = operation;
    node.used = operation;
    node.time = now;
  }

  /** Marks everything up to a node as used now. */
  void touch(Node<B> node, boolean hit) {
    for (; node.parent != null; node = node.parent) {
      detach(node);
      node.used = operation;
      node.hits += hit ? 1 : 0;
      node.time = refreshOnHit ? now : node.time;
      attach(node);
    }
  }

  /** Keeps everything up to a node. */
  void pin(Node<B> node) {
    for (; node != null; node = node.parent) {
      detach(node);
      pinnedBytes += node.pins++ == 0 ? node.bytes : 0;
    }
  }

  void unpin(Node<B> node) {
    for (; node != null; node = node.parent) {
      pinnedBytes -= --node.pins == 0 ? node.bytes : 0;
      attach(node);
    }
  }

  void detach(Node<B> node) {
    if (isEvictable(node)) {
      evictable.remove(node);
    }
    if (mayExpire(node)) {
      expiring.remove(node);
    }
  }

  void attach(Node<B> node) {
    node.rank = policy.rank(node.inserted, node.used, node.hits);
    if (isEvictable(node)) {
      evictable.add(node);
    }
    if (mayExpire(node)) {
      expiring.add(node);
    }
  }

  boolean isEvictable(Node<B> node) {
    return node.pins == 0 && node.parent != null && node.isLeaf();
  }

  boolean mayExpire(Node<B> node) {
    return ttl > 0 && node.pins == 0 && !node.blocks.isEmpty();
  }
}
