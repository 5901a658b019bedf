package kv4j.cache.index;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import kv4j.cache.CacheEvent;
import kv4j.cache.EvictionPolicy;
import kv4j.cache.Lookup;

/** An index of blocks of 4 tokens that weigh 1 each, under a clock that stands still. */
final class Fixture {
  static final int SIZE = 4;
  static final Keyspace HERE = new Keyspace("tenant", "model", "");

  final List<CacheEvent> events = new ArrayList<>();
  final PrefixIndex<TestBlock> index;
  long clock;

  Fixture(long budgetBlocks) {
    this(budgetBlocks, EvictionPolicy.Standard.LRU, 0, true);
  }

  Fixture(long budgetBlocks, EvictionPolicy policy, long timeToLive, boolean refreshOnHit) {
    index =
        new PrefixIndex<>(
            new Limits(SIZE, budgetBlocks, policy, timeToLive, refreshOnHit),
            block -> 1,
            () -> clock,
            events::add);
  }

  /** Without the numbers of events and runs. */
  static String toString(List<CacheEvent> events) {
    return events.stream()
        .map(event -> event.toString().replaceAll("(number|run|parent)=\\d+, ", ""))
        .collect(Collectors.joining("; "))
        .replaceAll(", run=\\d+", "");
  }

  /** A token sequence: {@code first, first + 1, ..}. */
  static int[] run(int first, int length) {
    return IntStream.range(first, first + length).toArray();
  }

  static int[] join(int[] a, int... b) {
    int[] both = Arrays.copyOf(a, a.length + b.length);
    System.arraycopy(b, 0, both, a.length, b.length);
    return both;
  }

  PrefixIndex.Match<TestBlock> match(Keyspace space, int... prompt) {
    PrefixIndex.Match<TestBlock> match = index.match(space, prompt);
    TestBlock.checkContent(match, prompt, SIZE);
    return match;
  }

  PrefixIndex.Match<TestBlock> match(int... prompt) {
    return match(HERE, prompt);
  }

  int commit(PrefixIndex.Match<TestBlock> match, int... tokens) {
    return index.commit(
        match.lease(),
        tokens,
        tokens.length,
        TestBlock.compute(match, tokens, tokens.length, SIZE));
  }

  /** A request that computes all of a prompt and generates nothing: how many of it are stored. */
  int request(Keyspace space, int... prompt) {
    return commit(match(space, prompt), prompt);
  }

  int request(int... prompt) {
    return request(HERE, prompt);
  }

  /** What a lookup says; nothing is pinned afterwards, but it counts as a use. */
  Lookup look(Keyspace space, int... prompt) {
    PrefixIndex.Match<TestBlock> match = match(space, prompt);
    match.lease().close();
    return match.lookup();
  }

  Lookup look(int... prompt) {
    return look(HERE, prompt);
  }

  /** Tokens of a sequence that are stored; asks with one token more than there is to find. */
  int stored(int... tokens) {
    return look(join(tokens, -1)).cachedTokens();
  }
}
