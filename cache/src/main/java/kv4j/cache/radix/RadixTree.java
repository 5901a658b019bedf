package kv4j.cache.radix;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.Deque;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.function.ToLongFunction;
import kv4j.cache.CacheEvent;
import kv4j.cache.CacheStats.Removal;
import kv4j.cache.EvictionPolicy;
import kv4j.cache.Lookup.Reason;

/**
 * Radix trees over token ids, one for each {@link Space}, under one byte budget. Edges own runs of
 * blocks; block {@code i} of a sequence holds its tokens {@code [i * blockTokens, (i + 1) *
 * blockTokens)}. Not thread-safe: {@link PrefixIndex} holds the lock.
 *
 * <p>Edges end at any token, blocks do not. Where sequences part inside a block, each branch owns a
 * block of its own that also holds the tokens before the fork: a sequence copied those when it
 * forked off, so no payload moves when an edge is split. Hence the rule: <em>a node owns every
 * block its tokens fall in, except that the one its end falls inside of belongs to its children, if
 * it has any</em>. When the last child goes, so do the tokens that only its block held.
 */
final class RadixTree<B> {
  /** How far tokens were followed: {@code node.start < at <= node.end()}, or a root and 0. */
  record Place<B>(Node<B> node, int at) {}

  /** Most expired nodes removed at the beginning of an operation. */
  private static final int SWEEP = 16;

  final int blockTokens;
  final long budget;
  final Map<Space, Node<B>> roots = new HashMap<>();
  final TreeSet<Node<B>> evictable; // unpinned leaves, the next to go first
  final TreeSet<Node<B>> expiring; // unpinned nodes with blocks, if there is a time to live
  final Forgotten forgotten = new Forgotten();
  final Map<Removal, Long> removed = new EnumMap<>(Removal.class);
  long inserted;
  long entries;
  long bytes;
  long peakBytes;
  long pinnedBytes;

  private final ToLongFunction<? super B> weigher;
  private final EvictionPolicy policy;
  private final long ttl; // 0: for ever
  private final boolean refreshOnHit;
  private List<CacheEvent> events = new ArrayList<>();
  private long nextId;
  private long operation;
  private long now;

  RadixTree(
      int blockTokens,
      ToLongFunction<? super B> weigher,
      long budget,
      EvictionPolicy policy,
      long ttl,
      boolean refreshOnHit) {
    this.blockTokens = blockTokens;
    this.weigher = weigher;
    this.budget = budget;
    this.policy = policy;
    this.ttl = ttl;
    this.refreshOnHit = refreshOnHit;
    evictable =
        new TreeSet<>(
            Comparator.<Node<B>>comparingLong(node -> node.rank)
                .thenComparingLong(node -> node.used)
                .thenComparingLong(node -> node.id));
    expiring =
        new TreeSet<>(
            Comparator.<Node<B>>comparingLong(node -> node.time)
                .thenComparingLong(node -> node.id));
  }

  /** Every operation begins here: sets its time and removes a few of the expired. */
  void begin(long nanos) {
    now = nanos;
    operation++;
    for (int i = 0; i < SWEEP && removeOneExpired(); i++) {}
  }

  boolean removeOneExpired() {
    if (expiring.isEmpty() || !isOverdue(expiring.first())) {
      return false;
    }
    remove(expiring.first(), Removal.EXPIRED);
    return true;
  }

  Node<B> root(Space space) {
    return roots.computeIfAbsent(
        space,
        key -> {
          Node<B> root = new Node<>(nextId++, key, null, 0, new int[0], List.of());
          root.startHash = key.hashCode();
          return root;
        });
  }

  /** Follows {@code tokens} from the end of a node up to position {@code limit}. */
  Place<B> follow(Node<B> from, int[] tokens, int limit) {
    Node<B> node = from;
    int at = node.end();
    while (at < limit) {
      Node<B> child = node.child(tokens[at]);
      if (child == null) {
        break;
      }
      if (mayExpire(child) && isOverdue(child)) {
        remove(child, Removal.EXPIRED);
        return follow(from, tokens, limit); // this may have gone with its last child
      }
      int most = Math.min(limit, child.end());
      int same = Arrays.mismatch(child.tokens, 0, most - at, tokens, at, most);
      node = child;
      at = same < 0 ? most : at + same;
      if (at < child.end()) {
        break;
      }
    }
    return new Place<>(node, at);
  }

  /** The node that ends at {@code at}, this one or above it; splits one if there is none. */
  Node<B> endingAt(Node<B> from, int at) {
    Node<B> node = from;
    while (node.parent != null && node.start >= at) {
      node = node.parent;
    }
    return node.end() == at ? node : split(node, at);
  }

  /** Makes a new node of the tokens before {@code at}; the old one keeps what follows. */
  private Node<B> split(Node<B> node, int at) {
    detach(node);
    int keep = at - node.start;
    int whole = at / blockTokens - node.start / blockTokens;
    Node<B> upper =
        new Node<>(
            nextId++,
            node.space,
            node.parent,
            node.start,
            Arrays.copyOf(node.tokens, keep),
            node.blocks.subList(0, whole));
    upper.startHash = node.startHash;
    upper.pins = node.pins;
    upper.inserted = node.inserted;
    upper.used = node.used;
    upper.hits = node.hits;
    upper.time = node.time;
    upper.bytes = weigh(upper.blocks);
    node.parent.putChild(upper);
    node.startHash = hashTo(node, at);
    node.parent = upper;
    node.start = at;
    node.tokens = Arrays.copyOfRange(node.tokens, keep, node.tokens.length);
    node.blocks = new ArrayList<>(node.blocks.subList(whole, node.blocks.size()));
    node.bytes -= upper.bytes;
    upper.putChild(node);
    attach(upper);
    attach(node);
    return upper;
  }

  /** Marks everything up to a node as used now. */
  void touch(Node<B> node, boolean hit) {
    for (; node.parent != null; node = node.parent) {
      detach(node);
      node.used = operation;
      node.hits += hit ? 1 : 0;
      if (refreshOnHit) {
        node.time = now;
      }
      attach(node);
    }
  }

  void pin(Node<B> node) {
    for (; node != null; node = node.parent) {
      detach(node);
      pinnedBytes += node.pins++ == 0 ? node.bytes : 0;
    }
  }

  void unpin(Node<B> node) {
    while (node != null) {
      Node<B> parent = node.parent;
      pinnedBytes -= --node.pins == 0 ? node.bytes : 0;
      if (parent == null) {
        dropIfEmpty(node);
      } else {
        attach(node);
      }
      node = parent;
    }
  }

  /** The block that holds a place's next token (or its last), here or below; null if several do. */
  Node<B> onlyOwner(Node<B> node, int block) {
    while (!owns(node, block)) {
      if (node.children.size() != 1) {
        return null;
      }
      node = node.anyChild();
    }
    return node;
  }

  /** A block that holds the tokens of block {@code block} up to a node's end: any that does. */
  B anyBlock(Node<B> node, int block) {
    while (!owns(node, block)) {
      node = node.anyChild();
    }
    return node.blocks.get(block - node.start / blockTokens);
  }

  private boolean owns(Node<B> node, int block) {
    int index = block - node.start / blockTokens;
    return index >= 0 && index < node.blocks.size();
  }

  /**
   * Stores the first {@code length} tokens as far as they are not stored and there is room,
   * adopting those of {@code blocks} that hold the others.
   *
   * @return how many of them are stored now
   */
  int insert(Node<B> root, int[] tokens, int length, List<B> blocks) {
    Place<B> found = follow(root, tokens, length);
    int firstNew = found.at() / blockTokens;
    Node<B> anchor = endingAt(found.node(), firstNew * blockTokens);
    if (found.at() == length) { // all of it is stored
      Node<B> owner = length == anchor.end() ? null : onlyOwner(found.node(), firstNew);
      if (owner != null) {
        int blockEnd = Math.min(owner.end(), (firstNew + 1) * blockTokens);
        anchor = endingAt(owner, blockEnd);
      }
      touch(anchor, false);
      return length;
    }
    touch(anchor, false);
    pin(anchor);
    Node<B> last = found.node();
    if (last.isLeaf() && last.end() == found.at() && last.end() % blockTokens != 0) {
      cut(last, 1, Removal.SUPERSEDED); // the first new block holds these tokens and more
    }
    List<B> added = blocks.subList(firstNew, (length + blockTokens - 1) / blockTokens);
    makeRoom(weigh(added));
    int fit = 0;
    long weight = 0;
    while (fit < added.size() && bytes + weight + weigh(added, fit) <= budget) {
      weight += weigh(added, fit++);
    }
    int end = Math.min(length, (firstNew + fit) * blockTokens);
    if (fit > 0) {
      // What lay beyond the anchor may have been evicted just now: look again for the fork.
      Place<B> fork = follow(anchor, tokens, end);
      add(endingAt(fork.node(), fork.at()), Arrays.copyOfRange(tokens, fork.at(), end), added, fit);
    }
    if (end < length) {
      int missing = Math.min(length, (firstNew + fit + 1) * blockTokens);
      long hash = Forgotten.hash(hashTo(anchor, anchor.end()), tokens, anchor.end(), missing);
      forgotten.put(hash, Reason.NO_ROOM);
      end = Math.max(end, anchor.end());
    }
    unpin(anchor);
    return end;
  }

  private void add(Node<B> parent, int[] tokens, List<B> blocks, int count) {
    Node<B> node =
        new Node<>(nextId++, parent.space, parent, parent.end(), tokens, blocks.subList(0, count));
    node.startHash = hashTo(parent, parent.end());
    node.bytes = weigh(node.blocks);
    node.inserted = operation;
    node.used = operation;
    node.time = now;
    detach(parent);
    parent.putChild(node);
    attach(parent);
    attach(node);
    inserted += count;
    entries += count;
    bytes += node.bytes;
    peakBytes = Math.max(peakBytes, bytes);
    events.add(
        new CacheEvent.Inserted(node.space.namespace(), node.start, tokens, count, node.bytes));
  }

  /** Removes what is expired, then what the policy gives up, until this many bytes are free. */
  private void makeRoom(long need) {
    while (bytes + need > budget) {
      if (removeOneExpired()) {
        continue;
      }
      if (evictable.isEmpty()) {
        return;
      }
      Node<B> leaf = evictable.first();
      int count = 0;
      for (long free = budget - bytes; free < need && count < leaf.blocks.size(); ) {
        count++;
        free += weigh(leaf.blocks, leaf.blocks.size() - count);
      }
      cut(leaf, count, Removal.SIZE);
    }
  }

  /** Takes the last blocks off a leaf. */
  private void cut(Node<B> leaf, int count, Removal cause) {
    int keep = leaf.blocks.size() - count;
    if (keep == 0) {
      remove(leaf, cause);
      return;
    }
    int end = (leaf.start / blockTokens + keep) * blockTokens;
    forget(leaf, end, cause);
    List<B> gone = leaf.blocks.subList(keep, leaf.blocks.size());
    account(leaf, end, count, weigh(gone), cause);
    gone.clear();
    leaf.tokens = Arrays.copyOf(leaf.tokens, end - leaf.start);
  }

  /** Removes an unpinned node and all below it. */
  void remove(Node<B> top, Removal cause) {
    forget(top, top.start, cause);
    Deque<Node<B>> pending = new ArrayDeque<>(List.of(top));
    while (!pending.isEmpty()) {
      Node<B> node = pending.pop();
      detach(node);
      pending.addAll(node.children.values());
      account(node, node.start, node.blocks.size(), node.bytes, cause);
    }
    for (Node<B> node = top; ; node = node.parent) {
      Node<B> parent = node.parent;
      parent.removeChild(node);
      // A node that lost its last child keeps only the tokens that its own blocks hold.
      int covered = (parent.start / blockTokens + parent.blocks.size()) * blockTokens;
      if (parent.parent == null) {
        dropIfEmpty(parent);
        return;
      }
      if (!parent.isLeaf() || covered > parent.start) {
        if (parent.isLeaf() && covered < parent.end()) {
          parent.tokens = Arrays.copyOf(parent.tokens, covered - parent.start);
        }
        attach(parent);
        return;
      }
    }
  }

  private void account(Node<B> node, int from, int count, long weight, Removal cause) {
    entries -= count;
    bytes -= weight;
    node.bytes -= weight;
    removed.merge(cause, (long) count, Long::sum);
    int tokens = node.end() - from;
    events.add(new CacheEvent.Removed(node.space.namespace(), from, tokens, count, weight, cause));
  }

  /** Notes why the first block from {@code from} on is no longer there. */
  private void forget(Node<B> node, int from, Removal cause) {
    if (cause == Removal.SIZE || cause == Removal.EXPIRED) {
      int end = Math.min(node.end(), (from / blockTokens + 1) * blockTokens);
      forgotten.put(hashTo(node, end), cause == Removal.SIZE ? Reason.EVICTED : Reason.EXPIRED);
    }
  }

  /** Hash of all tokens before a position in a node. */
  long hashTo(Node<B> node, int at) {
    return Forgotten.hash(node.startHash, node.tokens, 0, at - node.start);
  }

  private void dropIfEmpty(Node<B> root) {
    if (root.isLeaf() && root.pins == 0) {
      roots.remove(root.space, root);
    }
  }

  /** To be called before anything changes that the ordered sets depend on. */
  private void detach(Node<B> node) {
    if (isEvictable(node)) {
      evictable.remove(node);
    }
    if (mayExpire(node)) {
      expiring.remove(node);
    }
  }

  /** To be called afterwards. */
  private void attach(Node<B> node) {
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

  /** Nanoseconds since a node was inserted, or last used where that counts. */
  long age(Node<B> node) {
    return now - node.time;
  }

  private boolean isOverdue(Node<B> node) {
    return age(node) >= ttl;
  }

  /** What happened since the last call. */
  List<CacheEvent> takeEvents() {
    List<CacheEvent> taken = events;
    if (!taken.isEmpty()) {
      events = new ArrayList<>();
    }
    return taken;
  }

  long weigh(List<B> blocks) {
    long sum = 0;
    for (B block : blocks) {
      sum += weigher.applyAsLong(block);
    }
    return sum;
  }

  private long weigh(List<B> blocks, int index) {
    return weigher.applyAsLong(blocks.get(index));
  }
}
