package kv4j.cache.index;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import java.util.function.ToLongFunction;
import kv4j.cache.CacheEvent;
import kv4j.cache.CacheStats;
import kv4j.cache.CacheStats.Removal;
import kv4j.cache.Lookup;
import kv4j.cache.TreeSnapshot;

/**
 * Finds the longest stored prefix of a token sequence; adopts, keeps and evicts blocks. It knows of
 * a block only what it weighs.
 *
 * <p>Locking: one lock guards the tree, the leases and the journal; whatever reads or changes them
 * takes it for the whole of one short operation, whose cost grows with the sequence in hand and not
 * with what is stored ({@link #snapshot} and {@link #hold} excepted, which visit the runs). No
 * block is read, copied or computed, no clock read, no listener called and nothing drawn under it,
 * and explaining a miss takes it anew for each other space that is asked. Of foreign code only
 * {@link kv4j.cache.EvictionPolicy#rank} runs under it. A block's stored tokens never change, so
 * that whoever was given a block reads it without the lock. Sequences that compute the same tokens
 * at once do so apart: the first to commit is adopted, the other finds its tokens stored and its
 * blocks go with it. Nobody waits for anything but this lock, except in {@link #clear(Duration)},
 * which waits with a limit and without it.
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
  public record Match<B>(Lookup lookup, Lease<B> lease, List<B> shared, B partial) {
    /** Whether the sequence needs a copy of a block's beginning. */
    public boolean isCopied() {
      return partial != null;
    }

    /** The same with more known of why no more was found. */
    public Match<B> explained(Lookup reason) {
      return new Match<>(reason, lease, shared, partial);
    }
  }

  /** Most expired nodes removed at the beginning of an operation. */
  private static final int SWEEP = 16;

  private final ReentrantLock lock = new ReentrantLock();
  private final Condition noLeases = lock.newCondition();
  private final RadixTree<B> tree;
  private final MissReasons<B> misses;
  private final LongSupplier ticker;
  private final Consumer<CacheEvent> listener;
  private final Optional<Consumer<Chain<B>>> evicted;
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
    this(limits, weigher, ticker, listener, Optional.empty());
  }

  /**
   * @param evicted given the blocks that made room for others, and those before them, after the
   *     operation that caused it
   */
  public PrefixIndex(
      Limits limits,
      ToLongFunction<? super B> weigher,
      LongSupplier ticker,
      Consumer<CacheEvent> listener,
      Optional<Consumer<Chain<B>>> evicted) {
    tree = new RadixTree<>(limits, weigher, evicted.isPresent(), ticker.getAsLong());
    this.evicted = evicted;
    misses = new MissReasons<>(tree);
    this.ticker = ticker;
    this.listener = listener;
  }

  /**
   * Finds what is stored of a prompt but its last token, and pins it. {@link #record} counts it.
   *
   * @throws IllegalStateException if the index is closed
   */
  public Match<B> match(Keyspace space, int[] prompt) {
    return match(space, "", prompt, true);
  }

  /**
   * @param label what the request is called, for {@link #snapshot} and events
   * @param hit whether it counts as a hit of what is found, besides being a use
   */
  public Match<B> match(Keyspace space, String label, int[] prompt, boolean hit) {
    Match<B> match = locked(() -> find(space, label, prompt, hit));
    try {
      return match.explained(explain(space, prompt, match.lookup()));
    } catch (RuntimeException | Error e) { // the pins must not outlive it
      match.lease().close();
      throw e;
    }
  }

  private Match<B> find(Keyspace space, String label, int[] prompt, boolean hit) {
    if (closed) {
      throw new IllegalStateException("the cache is closed");
    }
    Node<B> root = tree.pinnedRoot(space);
    RadixTree.Place<B> found = tree.follow(root, prompt, prompt.length - 1);
    Lookup lookup = misses.explain(root, prompt, found);
    int whole = found.at() / tree.blockTokens;
    Node<B> last = tree.endingAt(found.node(), whole * tree.blockTokens);
    tree.queue.touch(last, hit);
    tree.queue.pin(last);
    tree.unpin(root);
    leases++;
    B partial = found.at() > last.end() ? tree.anyBlock(found.node(), whole) : null;
    Lease<B> lease = new Lease<>(this, space, label, last);
    return new Match<>(lookup, lease, last.blocksFromRoot(), partial);
  }

  /** Tokens that {@link #match} would find now; neither pinned nor a use of them. */
  public int cachedTokens(Keyspace space, int[] prompt) {
    return locked(
        0,
        () -> {
          Node<B> root = tree.roots.get(space);
          return root == null ? 0 : tree.follow(root, prompt, prompt.length - 1).at();
        });
  }

  /** Looks into other spaces too, if the own one does not tell why no more was found. */
  private Lookup explain(Keyspace space, int[] prompt, Lookup found) {
    for (Keyspace other : locked(0, () -> misses.spacesToAsk(space, found.reason()))) {
      Lookup told = locked(0, () -> misses.elsewhere(other, prompt, found.cachedTokens()));
      if (told != null) {
        return told;
      }
    }
    return found;
  }

  /**
   * Counts a lookup and tells of it, when the sequence that asked is ready.
   *
   * @param nanos that all of it took
   */
  public void record(Match<B> match, long nanos) {
    Lease<B> lease = match.lease();
    run(() -> tree.journal.find(lease.node, lease.label, match.lookup(), match.isCopied(), nanos));
  }

  /**
   * Sees to it that {@code bytes} of the budget are a running sequence's, for blocks of its own;
   * what it has not reserved yet is taken from what is free, and then from what may be evicted.
   *
   * @param bytes in all, not in addition
   * @return whether they are; if not, as much is free as can be, and nothing more is reserved. A
   *     sequence may go on all the same: what it computes is then beyond the budget until its
   *     commit, which keeps what there is room for
   */
  public boolean reserve(Lease<B> lease, long bytes) {
    return locked(() -> reserve(lease, bytes, Long.MIN_VALUE));
  }

  /** The same, but nothing is evicted if there will not be room all the same. */
  public boolean reserveOrLeave(Lease<B> lease, long bytes) {
    return locked(() -> reserve(lease, bytes, bytes - lease.reserved));
  }

  /**
   * @param least how much must be there once all is evicted that may be, or else nothing is
   */
  private boolean reserve(Lease<B> lease, long bytes, long least) {
    long more = bytes - lease.reserved;
    if (closed || lease.node == null || more <= 0) {
      return true;
    }
    if (tree.budget - tree.queue.pinnedBytes - tree.reserved < least) {
      return false;
    }
    tree.makeRoom(more);
    if (tree.room() < more) {
      return false;
    }
    lease.reserved += more;
    tree.reserved += more;
    return true;
  }

  private void unreserve(Lease<B> lease) {
    tree.reserved -= lease.reserved;
    lease.reserved = 0;
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
    long begin = System.nanoTime();
    requireAll(tokens, length, blocks);
    return locked(
        () -> {
          if (closed) {
            return 0;
          }
          unreserve(lease);
          Node<B> root = tree.pinnedRoot(lease.space);
          int stored = insert(root, lease.label, tokens, length, blocks, begin);
          tree.unpin(root);
          giveBack(lease);
          return stored;
        });
  }

  /**
   * Adopts the whole blocks of what a sequence has computed so far, and extends its lease to them.
   * The idea of handing a new hold back to a sequence that goes on is mini-sglang's {@code
   * insert_prefix}.
   *
   * @param tokens as of {@link #commit}
   * @param length as of {@link #commit}
   * @param blocks as of {@link #commit}
   * @return the blocks stored of these tokens, in order, which others may have computed before;
   *     empty if the index is closed
   * @throws IllegalArgumentException as {@link #commit}
   * @throws IllegalStateException if the lease was given back
   */
  public List<B> commitPrefix(Lease<B> lease, int[] tokens, int length, List<B> blocks) {
    long begin = System.nanoTime();
    requireAll(tokens, length, blocks);
    int whole = length / tree.blockTokens * tree.blockTokens;
    return locked(
        () -> {
          if (closed) {
            return List.of();
          }
          if (lease.node == null) {
            throw new IllegalStateException("the sequence was committed or closed");
          }
          long had = lease.reserved;
          unreserve(lease);
          Node<B> root = tree.pinnedRoot(lease.space);
          int stored = insert(root, lease.label, tokens, whole, blocks, begin);
          long own = tree.weigh(blocks.subList(stored / tree.blockTokens, blocks.size()));
          lease.reserved = Math.min(had, Math.min(own, tree.room()));
          tree.reserved += lease.reserved;
          Node<B> held = tree.endingAt(tree.follow(root, tokens, stored).node(), stored);
          tree.queue.pin(held);
          tree.unpin(lease.node);
          lease.node = held;
          tree.unpin(root);
          return held.blocksFromRoot();
        });
  }

  /**
   * Adopts whole blocks that no sequence holds.
   *
   * @param chain with tokens up to the end of its last block
   * @return how many of its blocks, from the first on, are stored now; 0 if those before are not
   * @throws IllegalArgumentException if tokens and blocks do not end together
   */
  public int adopt(Chain<B> chain, String label) {
    long begin = System.nanoTime();
    int end = chain.firstBlock() + chain.blocks().size();
    if (chain.tokens().length != end * tree.blockTokens) {
      throw new IllegalArgumentException(
          chain.tokens().length + " tokens and " + end + " blocks of " + tree.blockTokens);
    }
    return locked(
        () -> {
          if (closed) {
            return 0;
          }
          Node<B> root = tree.pinnedRoot(chain.space());
          int length = chain.tokens().length;
          RadixTree.Place<B> found = tree.follow(root, chain.tokens(), length);
          int before = Math.min(found.at() / tree.blockTokens, end);
          int stored = 0;
          if (before >= chain.firstBlock()) {
            Node<B> held = tree.endingAt(found.node(), before * tree.blockTokens);
            List<B> all = new ArrayList<>(held.blocksFromRoot());
            all.addAll(chain.blocks().subList(before - chain.firstBlock(), chain.blocks().size()));
            int tokens = insert(root, label, chain.tokens(), length, all, begin);
            stored = tokens / tree.blockTokens - chain.firstBlock();
          }
          tree.unpin(root);
          return Math.max(0, stored);
        });
  }

  private int insert(
      Node<B> root, String label, int[] tokens, int length, List<B> blocks, long begin) {
    int stored = tree.insert(root, label, tokens, length, blocks);
    tree.journal.noRoom += stored < length ? 1 : 0;
    tree.journal.insertNanos += System.nanoTime() - begin;
    return stored;
  }

  private void requireAll(int[] tokens, int length, List<B> blocks) {
    if (tokens.length < length || (long) blocks.size() * tree.blockTokens < length) {
      throw new IllegalArgumentException(
          tokens.length + " tokens and " + blocks.size() + " blocks for a length of " + length);
    }
  }

  /**
   * A run that is stored, held so that its blocks can be read.
   *
   * @param run as in a snapshot
   * @param lease keeps it
   * @param blocks that its tokens fall in, in order
   */
  public record Held<B>(TreeSnapshot.Run run, Lease<B> lease, List<B> blocks)
      implements AutoCloseable {
    @Override
    public void close() {
      lease.close();
    }
  }

  /** Holds a run by its id, unless it is gone; this visits what is stored until it is found. */
  public Optional<Held<B>> hold(long run) {
    return locked(
        () ->
            tree.find(run)
                .map(
                    node -> {
                      TreeSnapshot.Run asFound = tree.snapshot(node); // without this hold's pin
                      tree.queue.pin(node);
                      leases++;
                      Lease<B> lease = new Lease<>(this, node.space, "", node);
                      return new Held<>(asFound, lease, tree.blocksUnder(node));
                    }));
  }

  void release(Lease<B> lease) {
    run(() -> giveBack(lease));
  }

  private void giveBack(Lease<B> lease) {
    if (lease.node != null) {
      unreserve(lease);
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
  public int pin(String name, Keyspace space, int[] tokens) {
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
            tree.queue.touch(last, false);
            tree.queue.pin(last);
            named.put(name, new Lease<>(this, space, "", last));
            tree.journal.pin(last, name);
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
            tree.journal.unpin(lease.node, name);
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
    named.forEach(
        (name, lease) -> {
          tree.journal.unpin(lease.node, name);
          tree.unpin(lease.node);
        });
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
          tree.queue.pinnedBytes = 0;
          closed = true;
        });
  }

  /** Counts of one moment. */
  public CacheStats stats() {
    return locked(
        () ->
            new CacheStats(
                tree.journal.lookups.snapshot(),
                tree.journal.storage(tree.queue.pinnedBytes, tree.reserved)));
  }

  /** All that is stored. */
  public TreeSnapshot snapshot() {
    return locked(
        () -> {
          SortedMap<String, Long> ends = new TreeMap<>();
          named.forEach((name, lease) -> ends.put(name, lease.node.id));
          return tree.snapshot(ends);
        });
  }

  /**
   * All that is stored, from the beginning of each sequence to its end: what several begin with is
   * part of each. The blocks stay readable whatever becomes of them.
   */
  public List<Chain<B>> chains() {
    return locked(tree::chains);
  }

  /**
   * Checks that the tree, the pins and the journal agree with each other.
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
    return locked(SWEEP, operation);
  }

  /**
   * @param sweep most expired nodes to remove before
   */
  private <T> T locked(int sweep, Supplier<T> operation) {
    long now = ticker.getAsLong();
    lock.lock();
    try {
      tree.queue.begin(now);
      tree.removeExpired(sweep);
      return operation.get();
    } finally {
      List<CacheEvent> events = tree.journal.takeEvents();
      List<Chain<B>> chains = tree.takeEvicted();
      lock.unlock();
      events.forEach(listener); // of an operation that was refused too: it may have swept
      evicted.ifPresent(chains::forEach);
    }
  }
}
