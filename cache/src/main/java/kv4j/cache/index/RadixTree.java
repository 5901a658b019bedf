package kv4j.cache.index;

import java.security.SecureRandom;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.function.ToLongFunction;
import kv4j.cache.CacheStats;
import kv4j.cache.CacheStats.Removal;
import kv4j.cache.Lookup.Reason;
import kv4j.cache.TreeSnapshot;

/**
 * Radix trees over token ids, one for each {@link Keyspace}, under one byte budget. Edges own runs
 * of blocks; block {@code i} of a sequence holds its tokens {@code [i * blockTokens, (i + 1) *
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

  final int blockTokens;
  final long budget;
  long reserved; // bytes of the budget that are promised to running sequences
  final EvictionQueue<B> queue;
  final Journal journal = new Journal();
  final AbsenceReasons absences = new AbsenceReasons();
  final Map<Keyspace, Node<B>> roots = new HashMap<>();
  private final boolean keepsEvicted;
  private List<Chain<B>> evicted = new ArrayList<>(); // since somebody took them
  private final ToLongFunction<? super B> weigher;
  private final long seed = new SecureRandom().nextLong(); // or hashes could be made to meet
  private long lastId;

  /**
   * @param keepsEvicted whether what made room is handed out by {@link #takeEvicted}
   * @param now the time, in nanoseconds
   */
  RadixTree(Limits limits, ToLongFunction<? super B> weigher, boolean keepsEvicted, long now) {
    this.keepsEvicted = keepsEvicted;
    blockTokens = limits.blockTokens();
    budget = limits.maxBytes();
    queue = new EvictionQueue<>(limits, now);
    this.weigher = weigher;
  }

  /** The root of a space, pinned so that it stays while it is empty. */
  Node<B> pinnedRoot(Keyspace space) {
    Node<B> root = roots.computeIfAbsent(space, key -> newNode(key, null, 0, new int[0]));
    queue.pin(root);
    return root;
  }

  void unpin(Node<B> node) {
    queue.unpin(node);
    dropIfEmpty(roots.get(node.space));
  }

  private void dropIfEmpty(Node<B> root) {
    if (root.isLeaf() && root.pins == 0) {
      roots.remove(root.space);
    }
  }

  private Node<B> newNode(Keyspace space, Node<B> parent, int start, int[] tokens) {
    long id = parent == null ? 0 : ++lastId;
    Node<B> node = new Node<>(id, space, parent, start, tokens);
    node.startHash = parent == null ? space.hash(seed) : hashTo(parent, start);
    return node;
  }

  /** Hash of all tokens before a position in a node. */
  long hashTo(Node<B> node, int at) {
    return AbsenceReasons.hash(node.startHash, node.tokens, 0, at - node.start);
  }

  /** Follows {@code tokens} from the end of a node up to position {@code limit}. */
  Place<B> follow(Node<B> from, int[] tokens, int limit) {
    Node<B> expired;
    Node<B> node;
    int at;
    do {
      node = from;
      at = node.end();
      Node<B> next = at < limit ? node.children.get(tokens[at]) : null;
      while (next != null && !queue.isExpired(next)) {
        int most = Math.min(limit, next.end());
        int same = Arrays.mismatch(next.tokens, 0, most - at, tokens, at, most);
        node = next;
        at = same < 0 ? most : at + same;
        next = at < limit && at == node.end() ? node.children.get(tokens[at]) : null;
      }
      expired = next != null ? next : expiredOwner(node, at);
      if (expired != null) {
        remove(expired, Removal.EXPIRED); // and again: its parent may have gone with it
      }
    } while (expired != null);
    return new Place<>(node, at);
  }

  /** What is expired on the way down to the block that a position falls inside of; or null. */
  private Node<B> expiredOwner(Node<B> node, int at) {
    while (at % blockTokens != 0 && !owns(node, at / blockTokens)) {
      node = node.anyChild();
      if (queue.isExpired(node)) {
        return node;
      }
    }
    return null;
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
    queue.detach(node);
    int keep = at - node.start;
    List<B> whole = node.blocks.subList(0, at / blockTokens - node.start / blockTokens);
    Node<B> upper = newNode(node.space, node.parent, node.start, Arrays.copyOf(node.tokens, keep));
    upper.blocks.addAll(whole);
    upper.bytes = weigh(whole);
    upper.label = node.label;
    upper.pins = node.pins;
    upper.inserted = node.inserted;
    upper.used = node.used;
    upper.hits = node.hits;
    upper.time = node.time;
    node.parent.putChild(upper);
    node.parent = upper;
    node.start = at;
    node.startHash = hashTo(upper, at);
    node.tokens = Arrays.copyOfRange(node.tokens, keep, node.tokens.length);
    node.bytes -= upper.bytes;
    whole.clear();
    node.blocks.trimToSize();
    upper.putChild(node);
    queue.attach(upper);
    queue.attach(node);
    journal.split(node, upper);
    return upper;
  }

  private boolean owns(Node<B> node, int block) {
    int index = block - node.start / blockTokens;
    return index >= 0 && index < node.blocks.size();
  }

  /**
   * The node that owns the block of a node's last tokens, this one or below; null if several do.
   */
  private Node<B> onlyOwner(Node<B> node, int block) {
    while (!owns(node, block)) {
      if (node.children.size() != 1) {
        return null;
      }
      node = node.anyChild();
    }
    return node;
  }

  /** A block that holds a node's last tokens: any of those that do. */
  B anyBlock(Node<B> node, int block) {
    while (!owns(node, block)) {
      node = node.anyChild();
    }
    return node.blocks.get(block - node.start / blockTokens);
  }

  /**
   * Stores the first {@code length} tokens as far as they are not stored and there is room,
   * adopting those of {@code blocks} that hold the others.
   *
   * @param label of the request that computed them
   * @return how many of them are stored now
   */
  int insert(Node<B> root, String label, int[] tokens, int length, List<B> blocks) {
    Place<B> found = follow(root, tokens, length);
    int firstNew = found.at() / blockTokens;
    Node<B> anchor = endingAt(found.node(), firstNew * blockTokens);
    if (found.at() == length) { // all of it is stored
      Node<B> owner = length == anchor.end() ? null : onlyOwner(found.node(), firstNew);
      if (owner != null) {
        anchor = endingAt(owner, Math.min(owner.end(), (firstNew + 1) * blockTokens));
      }
      queue.touch(anchor, false);
      return length;
    }
    queue.touch(anchor, false);
    queue.pin(anchor);
    Node<B> last = found.node();
    if (last.isLeaf() && last.end() == found.at() && last.end() % blockTokens != 0) {
      cut(last, 1, Removal.SUPERSEDED); // the first new block holds these tokens and more
    }
    List<B> added = blocks.subList(firstNew, (length + blockTokens - 1) / blockTokens);
    long weight = weigh(added);
    makeRoom(weight);
    int fit = added.size();
    while (weight > room()) {
      weight -= weigher.applyAsLong(added.get(--fit));
    }
    int end = Math.min(length, (firstNew + fit) * blockTokens);
    if (fit > 0) {
      // What lay beyond the anchor may have been evicted just now: look again for the fork.
      Place<B> fork = follow(anchor, tokens, end);
      add(endingAt(fork.node(), fork.at()), label, tokens, end, added.subList(0, fit));
    }
    if (end < length) {
      int missing = Math.min(length, (firstNew + fit + 1) * blockTokens);
      long hash = AbsenceReasons.hash(hashTo(anchor, anchor.end()), tokens, anchor.end(), end);
      absences.put(hash, tokens, end, missing, Reason.NO_ROOM);
    }
    queue.unpin(anchor);
    return end;
  }

  private void add(Node<B> parent, String label, int[] tokens, int end, List<B> blocks) {
    int start = parent.end();
    Node<B> node = newNode(parent.space, parent, start, Arrays.copyOfRange(tokens, start, end));
    node.blocks.addAll(blocks);
    node.bytes = weigh(blocks);
    node.label = label;
    queue.date(node);
    queue.detach(parent);
    parent.putChild(node);
    queue.attach(parent);
    queue.attach(node);
    journal.insert(node);
  }

  /** Removes at most so many nodes, with all below them, that have outlived their time. */
  void removeExpired(int most) {
    for (int i = 0; i < most && queue.nextExpired() != null; i++) {
      remove(queue.nextExpired(), Removal.EXPIRED);
    }
  }

  /** Bytes of the budget that are neither used nor promised. */
  long room() {
    return budget - journal.bytes - reserved;
  }

  /** Removes what is expired, then what the policy gives up, until so much is free. */
  void makeRoom(long need) {
    while (room() < need) {
      Node<B> leaf = queue.nextVictim();
      if (queue.nextExpired() != null) {
        removeExpired(1);
      } else if (leaf == null) {
        return;
      } else {
        long free = room();
        int keep = leaf.blocks.size();
        while (keep > 0 && free < need) {
          free += weigher.applyAsLong(leaf.blocks.get(--keep));
        }
        if (keepsEvicted) {
          evicted.add(chain(leaf));
        }
        cut(leaf, leaf.blocks.size() - keep, Removal.SIZE);
      }
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
    journal.remove(leaf, end, count, weigh(gone), cause);
    gone.clear();
    leaf.blocks.trimToSize();
    leaf.tokens = Arrays.copyOf(leaf.tokens, end - leaf.start);
  }

  /** Removes an unpinned node and all below it. */
  void remove(Node<B> top, Removal cause) {
    forget(top, top.start, cause);
    Deque<Node<B>> pending = new ArrayDeque<>(List.of(top));
    while (!pending.isEmpty()) {
      Node<B> node = pending.pop();
      queue.detach(node);
      pending.addAll(node.children.values());
      journal.remove(node, node.start, node.blocks.size(), node.bytes, cause);
    }
    Node<B> parent = top.parent;
    parent.removeChild(top);
    // A node that lost its last child keeps only the tokens that its own blocks hold.
    while (parent.isLeaf() && parent.blocks.isEmpty() && parent.parent != null) {
      Node<B> empty = parent;
      parent = empty.parent;
      parent.removeChild(empty);
      journal.remove(empty, empty.start, 0, 0, cause);
    }
    int covered = (parent.start / blockTokens + parent.blocks.size()) * blockTokens;
    if (parent.isLeaf() && covered < parent.end()) {
      journal.remove(parent, covered, 0, 0, cause);
      parent.tokens = Arrays.copyOf(parent.tokens, covered - parent.start);
    }
    queue.attach(parent);
    if (parent.parent == null) {
      dropIfEmpty(parent);
    }
  }

  /** Notes why the first block from {@code from} on is no longer there. */
  private void forget(Node<B> node, int from, Removal cause) {
    if (cause == Removal.SIZE || cause == Removal.EXPIRED) {
      int end = Math.min(node.end(), (from / blockTokens + 1) * blockTokens);
      Reason reason = cause == Removal.SIZE ? Reason.EVICTED : Reason.EXPIRED;
      int start = node.start;
      absences.put(hashTo(node, from), node.tokens, from - start, end - start, reason);
    }
  }

  /**
   * Everything that is stored, depth first.
   *
   * @param pinned names of what is kept, and where that ends
   */
  TreeSnapshot snapshot(SortedMap<String, Long> pinned) {
    List<TreeSnapshot.Run> runs = new ArrayList<>();
    Deque<Node<B>> pending = new ArrayDeque<>(roots.values());
    while (!pending.isEmpty()) {
      Node<B> node = pending.pop();
      if (node.parent != null) {
        runs.add(snapshot(node));
      }
      List<Node<B>> children = new ArrayList<>(node.children.values());
      Collections.reverse(children); // the first is the next to be popped
      children.forEach(pending::push);
    }
    CacheStats.Storage storage = journal.storage(queue.pinnedBytes, reserved);
    return new TreeSnapshot(journal.lastEvent, budget, storage, pinned, runs);
  }

  TreeSnapshot.Run snapshot(Node<B> node) {
    return node.snapshot(queue.age(node));
  }

  /** The node of an id, if it is there; visits nodes until it is found. */
  Optional<Node<B>> find(long id) {
    Deque<Node<B>> pending = new ArrayDeque<>(roots.values());
    while (!pending.isEmpty()) {
      Node<B> node = pending.pop();
      if (node.id == id && node.parent != null) {
        return Optional.of(node);
      }
      pending.addAll(node.children.values());
    }
    return Optional.empty();
  }

  /** The blocks that a node's tokens fall in, the last perhaps of a node below. */
  List<B> blocksUnder(Node<B> node) {
    List<B> under = new ArrayList<>(node.blocks);
    int last = (node.end() - 1) / blockTokens;
    if (!owns(node, last)) {
      under.add(anyBlock(node, last));
    }
    return under;
  }

  /** What has made room since the last call. */
  List<Chain<B>> takeEvicted() {
    if (evicted.isEmpty()) {
      return List.of(); // not the live list: the caller reads what it gets without the lock
    }
    List<Chain<B>> taken = evicted;
    evicted = new ArrayList<>();
    return taken;
  }

  /** The blocks of all leaves, and those before them. */
  List<Chain<B>> chains() {
    List<Chain<B>> chains = new ArrayList<>();
    Deque<Node<B>> pending = new ArrayDeque<>(roots.values());
    while (!pending.isEmpty()) {
      Node<B> node = pending.pop();
      if (node.isLeaf() && node.parent != null) {
        chains.add(chain(node));
      }
      pending.addAll(node.children.values());
    }
    return chains;
  }

  /** A leaf's blocks and those before them. */
  private Chain<B> chain(Node<B> leaf) {
    int[] tokens = new int[leaf.end()];
    for (Node<B> node = leaf; node.parent != null; node = node.parent) {
      System.arraycopy(node.tokens, 0, tokens, node.start, node.tokens.length);
    }
    return new Chain<>(leaf.space, tokens, 0, leaf.blocksFromRoot());
  }

  long weigh(List<B> blocks) {
    return blocks.stream().mapToLong(weigher).sum();
  }
}
