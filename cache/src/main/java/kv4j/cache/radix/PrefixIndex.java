package kv4j.cache.radix;

import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import kv4j.cache.CacheEvent;
import kv4j.cache.CacheStats.Removal;
import kv4j.cache.Lookup;
import kv4j.cache.Lookup.Reason;

/**
 * Finds the longest stored prefix of a token sequence; adopts, keeps and evicts blocks. It knows of
 * a block only what it weighs.
 *
 * <p>Locking: one lock guards the tree, the leases and the accounts; whatever reads or changes them
 * takes it for the whole of one short operation, whose cost grows with the sequence in hand and not
 * with what is stored. No block is read, copied or computed, and no listener called, under it. A
 * block's stored tokens never change, so that whoever was given a block reads it without the lock.
 * Sequences that compute the same tokens at once do so apart: the first to commit is adopted, the
 * other finds its tokens stored and its blocks go with it. Nobody waits for anything but this lock,
 * except in {@link #clear(Duration)}, which waits with a limit and without it.
 *
 * @param <B> a block
 */
final class PrefixIndex<B> {
  /** Most other spaces searched to explain a miss. */
  private static final int SPACES_ASKED = 16;

  private final ReentrantLock lock = new ReentrantLock();
  private final Condition noLeases = lock.newCondition();
  private final RadixTree<B> tree;
  private final LongSupplier ticker;
  private final Consumer<CacheEvent> listener;
  private final Map<String, Lease<B>> named = new TreeMap<>();
  private int leases; // open ones, those of named pins not counted
  private boolean closed;

  PrefixIndex(RadixTree<B> tree, LongSupplier ticker, Consumer<CacheEvent> listener) {
    this.tree = tree;
    this.ticker = ticker;
    this.listener = listener;
  }

  /** Finds what is stored of a prompt but its last token, and pins it. */
  Match<B> match(Space space, int[] prompt) {
    return locked(
        () -> {
          if (closed) {
            throw new IllegalStateException("the cache is closed");
          }
          Node<B> root = tree.root(space);
          tree.pin(root);
          RadixTree.Place<B> found = tree.follow(root, prompt, prompt.length - 1);
          Lookup lookup = explain(root, prompt, found);
          int whole = found.at() / tree.blockTokens;
          Node<B> last = tree.endingAt(found.node(), whole * tree.blockTokens);
          tree.touch(last, true);
          tree.pin(last);
          tree.unpin(root);
          leases++;
          B partial = found.at() > last.end() ? tree.anyBlock(found.node(), whole) : null;
          return new Match<>(lookup, new Lease<>(this, space, last), path(last), partial);
        });
  }

  private Lookup explain(Node<B> root, int[] prompt, RadixTree.Place<B> found) {
    int at = found.at();
    if (at == prompt.length - 1) {
      return new Lookup(prompt.length, at, Reason.FULL, "");
    }
    int wholeEnd = at / tree.blockTokens * tree.blockTokens;
    long hash = Forgotten.hash(root.startHash, prompt, 0, at);
    for (int end = at; end < Math.min(prompt.length, wholeEnd + tree.blockTokens); ) {
      hash = Forgotten.hash(hash, prompt, end, ++end);
      Reason reason = tree.forgotten.get(hash);
      if (reason != null) {
        return new Lookup(prompt.length, at, reason, "from token " + at + " on");
      }
    }
    if (isStoredElsewhere(root.space, prompt, at)) {
      return new Lookup(prompt.length, at, Reason.OTHER_NAMESPACE, "from token " + at + " on");
    }
    if (at == 0) {
      return new Lookup(prompt.length, 0, Reason.COLD, "");
    }
    Node<B> node = found.node();
    if (at == node.end() && node.isLeaf()) {
      return new Lookup(prompt.length, at, Reason.END_OF_STORED, "from token " + at + " on");
    }
    int stored = at < node.end() ? node.tokens[at - node.start] : node.anyChild().tokens[0];
    String detail = "at token " + at + ": " + prompt[at] + " here, " + stored + " stored";
    return new Lookup(prompt.length, at, Reason.DIVERGED, detail);
  }

  /** Whether another space that may be spoken of has at least one block more of a prompt. */
  private boolean isStoredElsewhere(Space space, int[] prompt, int at) {
    if (space.isSalted()) {
      return false;
    }
    int limit = prompt.length - 1;
    return tree.roots.values().stream()
        .filter(root -> !root.space.equals(space) && !root.space.isSalted())
        .limit(SPACES_ASKED)
        .toList()
        .stream()
        .mapToInt(root -> tree.follow(root, prompt, limit).at())
        .anyMatch(other -> other >= Math.min(limit, at + tree.blockTokens));
  }

  private List<B> path(Node<B> last) {
    Deque<Node<B>> nodes = new ArrayDeque<>();
    for (Node<B> node = last; node != null; node = node.parent) {
      nodes.push(node);
    }
    List<B> blocks = new ArrayList<>(last.end() / tree.blockTokens);
    nodes.forEach(node -> blocks.addAll(node.blocks));
    return blocks;
  }

  /**
   * Adopts what a sequence has computed and gives back its lease.
   *
   * @param tokens ids from position 0 on
   * @param length how many of them have keys and values in place
   * @param blocks the blocks of these, those it was given included
   * @return how many of the tokens are stored now
   */
  int commit(Lease<B> lease, int[] tokens, int length, List<B> blocks) {
    return locked(
        () -> {
          if (closed) {
            return 0;
          }
          Node<B> root = tree.root(lease.space);
          tree.pin(root);
          int stored = tree.insert(root, tokens, length, blocks);
          tree.unpin(root);
          giveBack(lease);
          return stored;
        });
  }

  void release(Lease<B> lease) {
    locked(
        () -> {
          giveBack(lease);
          return null;
        });
  }

  private void giveBack(Lease<B> lease) {
    if (lease.node != null) {
      if (!closed) {
        tree.unpin(lease.node);
      }
      lease.node = null;
      if (--leases == 0) {
        noLeases.signalAll();
      }
    }
  }

  /**
   * Pins the whole blocks stored of a prefix.
   *
   * @return the tokens pinned; 0 if not one block is stored, and then the name stays free
   */
  int pin(String name, Space space, int[] tokens) {
    return locked(
        () -> {
          if (named.containsKey(name)) {
            throw new IllegalArgumentException("a prefix is already pinned as " + name);
          }
          Node<B> root = tree.root(space);
          tree.pin(root);
          RadixTree.Place<B> found = tree.follow(root, tokens, tokens.length);
          int whole = found.at() / tree.blockTokens * tree.blockTokens;
          if (whole > 0) {
            Node<B> last = tree.endingAt(found.node(), whole);
            tree.touch(last, false);
            tree.pin(last);
            named.put(name, new Lease<>(this, space, last));
          }
          tree.unpin(root);
          return whole;
        });
  }

  /** Gives up a pin; false if there is none of that name. */
  boolean unpin(String name) {
    return locked(
        () -> {
          Lease<B> lease = named.remove(name);
          if (lease != null) {
            tree.unpin(lease.node);
          }
          return lease != null;
        });
  }

  List<PinnedPrefix> pinned() {
    return locked(
        () -> {
          List<PinnedPrefix> pins = new ArrayList<>();
          named.forEach(
              (name, lease) ->
                  pins.add(new PinnedPrefix(name, lease.space.namespace(), lease.node.end())));
          return List.copyOf(pins);
        });
  }

  /**
   * Removes everything, named pins too, as soon as no lease is open.
   *
   * @param patience how long to wait for that; leases may be opened meanwhile
   * @return whether it was done in time
   */
  boolean clear(Duration patience) {
    return locked(
        () -> {
          long left = patience.toNanos();
          while (leases > 0) {
            if (left <= 0) {
              return false;
            }
            try {
              left = noLeases.awaitNanos(left);
            } catch (InterruptedException e) {
              Thread.currentThread().interrupt();
              return false;
            }
          }
          removeAll();
          return true;
        });
  }

  private void removeAll() {
    named.values().forEach(lease -> tree.unpin(lease.node));
    named.clear();
    for (Node<B> root : List.copyOf(tree.roots.values())) {
      for (Node<B> child : List.copyOf(root.children.values())) {
        tree.remove(child, Removal.EXPLICIT);
      }
    }
  }

  /** Removes all that has outlived its time. */
  void removeExpired() {
    locked(
        () -> {
          while (tree.removeOneExpired()) {}
          return null;
        });
  }

  /** Removes everything and refuses lookups from now on; open leases give back nothing. */
  void close() {
    locked(
        () -> {
          if (!closed) {
            removeAll();
            tree.roots.clear();
            tree.pinnedBytes = 0;
            closed = true;
          }
          return null;
        });
  }

  /** Reads the tree, which stays as it is meanwhile. */
  <T> T read(Function<RadixTree<B>, T> reader) {
    return locked(() -> reader.apply(tree));
  }

  void checkIntegrity() {
    locked(
        () -> {
          new IntegrityCheck<>(tree).check(closed ? 0 : leases + named.size());
          return null;
        });
  }

  private <T> T locked(Supplier<T> operation) {
    List<CacheEvent> events;
    T result;
    lock.lock();
    try {
      tree.begin(ticker.getAsLong());
      result = operation.get();
    } finally {
      events = tree.takeEvents();
      lock.unlock();
    }
    events.forEach(listener);
    return result;
  }
}
