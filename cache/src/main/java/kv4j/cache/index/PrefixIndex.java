package kv4j.cache.index;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import java.util.function.ToLongFunction;
import kv4j.cache.CacheEvent;
import kv4j.cache.CacheStats;
import kv4j.cache.CacheStats.Removal;
import kv4j.cache.Lookup;

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
public final class PrefixIndex<B> {
  /**
   * What a lookup found.
   *
   * @param lookup how much, and why not more
   * @param lease pins the whole blocks
   * @param shared whole blocks, in order
   * @param partial a block that holds the cached tokens after these, and perhaps others behind
   *     them; null if there are none. It is not pinned: its tokens never change, and this reference
   *     keeps it while it is copied
   */
  public record Match<B>(Lookup lookup, Lease<B> lease, List<B> shared, B partial) {}

  /** Most expired nodes removed at the beginning of an operation. */
  private static final int SWEEP = 16;

  private final ReentrantLock lock = new ReentrantLock();
  private final Condition noLeases = lock.newCondition();
  private final RadixTree<B> tree;
  private final MissReasons<B> misses;
  private final LongSupplier ticker;
  private final Consumer<CacheEvent> listener;
  private final Map<String, Lease<B>> named = new TreeMap<>();
  private int leases; // open ones, those of named pins not counted
  private boolean closed;

  /**
   * @param weigher bytes of a block, always the same for one block
   * @param ticker nanoseconds
   * @param listener told of insertions and removals, after the operation that caused them
   */
  public PrefixIndex(
      Limits limits,
      ToLongFunction<? super B> weigher,
      LongSupplier ticker,
      Consumer<CacheEvent> listener) {
    tree = new RadixTree<>(limits, weigher);
    misses = new MissReasons<>(tree);
    this.ticker = ticker;
    this.listener = listener;
  }

  /**
   * Finds what is stored of a prompt but its last token, and pins it.
   *
   * @throws IllegalStateException if the index is closed
   */
  public Match<B> match(Space space, int[] prompt) {
    return locked(
        () -> {
          if (closed) {
            throw new IllegalStateException("the cache is closed");
          }
          Node<B> root = tree.pinnedRoot(space);
          RadixTree.Place<B> found = tree.follow(root, prompt, prompt.length - 1);
          Lookup lookup = misses.explain(root, prompt, found);
          int whole = found.at() / tree.blockTokens;
          Node<B> last = tree.endingAt(found.node(), whole * tree.blockTokens);
          tree.retention.touch(last, true);
          tree.retention.pin(last);
          tree.unpin(root);
          leases++;
          B partial = found.at() > last.end() ? tree.anyBlock(found.node(), whole) : null;
          return new Match<>(
              lookup, new Lease<>(this, space, last), last.blocksFromRoot(), partial);
        });
  }

  /**
   * Adopts what a sequence has computed and gives back its lease.
   *
   * @param tokens ids from position 0 on
   * @param length how many of them have keys and values in place
   * @param blocks the blocks of these, those it was given included
   * @return how many of the tokens are stored now
   * @throws IllegalArgumentException if the tokens or the blocks are fewer than {@code length}
   *     needs
   */
  public int commit(Lease<B> lease, int[] tokens, int length, List<B> blocks) {
    if (tokens.length < length || (long) blocks.size() * tree.blockTokens < length) {
      throw new IllegalArgumentException(
          tokens.length + " tokens and " + blocks.size() + " blocks for a length of " + length);
    }
    return locked(
        () -> {
          if (closed) {
            return 0;
          }
          Node<B> root = tree.pinnedRoot(lease.space);
          int stored = tree.insert(root, tokens, length, blocks);
          tree.unpin(root);
          giveBack(lease);
          return stored;
        });
  }

  void release(Lease<B> lease) {
    run(() -> giveBack(lease));
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
   * @throws IllegalArgumentException if the name is taken
   */
  public int pin(String name, Space space, int[] tokens) {
    return locked(
        () -> {
          if (named.containsKey(name)) {
            throw new IllegalArgumentException("a prefix is already pinned as " + name);
          }
          Node<B> root = tree.pinnedRoot(space);
          RadixTree.Place<B> found = tree.follow(root, tokens, tokens.length);
          int whole = found.at() / tree.blockTokens * tree.blockTokens;
          if (whole > 0) {
            Node<B> last = tree.endingAt(found.node(), whole);
            tree.retention.touch(last, false);
            tree.retention.pin(last);
            named.put(name, new Lease<>(this, space, last));
          }
          tree.unpin(root);
          return whole;
        });
  }

  /** Gives up a pin; false if there is none of that name. */
  public boolean unpin(String name) {
    return locked(
        () -> {
          Lease<B> lease = named.remove(name);
          if (lease != null) {
            tree.unpin(lease.node);
          }
          return lease != null;
        });
  }

  /** Tokens of the pinned prefixes, by name. */
  public SortedMap<String, Integer> pinned() {
    return locked(
        () -> {
          SortedMap<String, Integer> tokens = new TreeMap<>();
          named.forEach((name, lease) -> tokens.put(name, lease.node.end()));
          return tokens;
        });
  }

  /**
   * Removes everything, named pins too, as soon as no lease is open.
   *
   * @param patience how long to wait for that; leases may be opened meanwhile
   * @return whether it was done in time
   */
  public boolean clear(Duration patience) {
    return locked(
        () -> {
          long left =
              TimeUnit.NANOSECONDS.convert(patience); // for ever, if it is too long to count
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
  public void removeExpired() {
    run(() -> tree.removeExpired(Integer.MAX_VALUE));
  }

  /** Removes everything and refuses lookups from now on; open leases give back nothing. */
  public void close() {
    run(
        () -> {
          removeAll();
          tree.roots.clear();
          tree.retention.pinnedBytes = 0;
          closed = true;
        });
  }

  /** What is kept and what came and went; nothing of lookups. */
  public CacheStats stats() {
    return locked(() -> tree.accounts.snapshot(tree.retention.pinnedBytes));
  }

  /**
   * The trees as text: one line for each run of tokens, indented by depth.
   *
   * @param decode makes text of token ids; called under the lock
   */
  public String print(Function<int[], String> decode) {
    return locked(() -> new TreePrinter<>(tree, decode).print());
  }

  @Override
  public String toString() {
    return print(TreePrinter::ids);
  }

  /**
   * Checks that the tree, the pins and the accounts agree with each other.
   *
   * @throws IllegalStateException saying what is wrong
   */
  public void checkIntegrity() {
    run(() -> new IntegrityCheck<>(tree).check(closed ? 0 : leases + named.size()));
  }

  private void run(Runnable operation) {
    locked(
        () -> {
          operation.run();
          return null;
        });
  }

  private <T> T locked(Supplier<T> operation) {
    lock.lock();
    try {
      tree.retention.begin(ticker.getAsLong());
      tree.removeExpired(SWEEP);
      return operation.get();
    } finally {
      List<CacheEvent> events = tree.accounts.takeEvents();
      lock.unlock();
      events.forEach(listener); // of an operation that was refused too: it may have swept
    }
  }
}
