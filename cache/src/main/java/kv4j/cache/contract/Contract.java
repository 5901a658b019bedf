package kv4j.cache.contract;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.IntStream;
import kv4j.cache.CacheEvent;
import kv4j.cache.CacheStats;
import kv4j.cache.EvictionPolicy;
import kv4j.cache.KvCache;
import kv4j.cache.KvCacheConfig;
import kv4j.cache.KvCacheProvider;
import kv4j.cache.KvRequest;
import kv4j.cache.KvSequence;
import kv4j.cache.Lookup;
import kv4j.cache.block.KvDtype;
import kv4j.cache.block.KvLayout;

/**
 * What every {@link KvCache} promises, as checks to run on a provider, a plug-in's too: each throws
 * an {@link AssertionError} that says what is wrong. A provider must refuse a configuration that
 * its caches cannot obey. Most checks ask little of a cache that shares nothing.
 */
public final class Contract {
  private static final int BLOCK = 4;
  private static final KvLayout LAYOUT = new KvLayout(2, 2, 4, BLOCK, KvDtype.F32);
  private static final long ROOM = 1 << 20;
  private static final int PROMPT = 2 * BLOCK + 1;

  /** One promise. */
  @FunctionalInterface
  public interface Check {
    /**
     * @throws AssertionError if it is broken
     */
    void run();
  }

  private final KvCacheProvider provider;

  private Contract(KvCacheProvider provider) {
    this.provider = provider;
  }

  /** The checks of a provider, by the promise they are for. */
  public static Map<String, Check> of(KvCacheProvider provider) {
    Contract contract = new Contract(provider);
    Map<String, Check> checks = new TreeMap<>();
    checks.put("keys and values are those of the tokens, whatever was cached", contract::content);
    checks.put("fewer bits are rounded on the way in", contract::dtypes);
    checks.put("the layout is the one it was made for", contract::layout);
    checks.put("one token is left to compute", contract::oneTokenIsLeft);
    checks.put("equal hash codes are not equal prompts", contract::hashCodes);
    checks.put("namespaces, models and salts share nothing", contract::isolation);
    checks.put("nothing outlives its time to live", contract::timeToLive);
    checks.put("a hit refreshes the time to live, or does not", contract::refreshOnHit);
    checks.put("the policy says what makes room", contract::policies);
    checks.put("the size limit holds", contract::sizeLimit);
    checks.put("the listener is told of everything, in numbers", contract::listener);
    checks.put("the listener is told why something went", contract::causes);
    checks.put("statistics count what happened", contract::statistics);
    checks.put("asking beforehand tells the truth and is not counted", contract::asking);
    checks.put("commits may be early, late, repeated or missing", contract::commits);
    checks.put("a pass may be left between layers, or given up there", contract::leftPasses);
    checks.put("a closed cache takes no more and leaves running requests alone", contract::close);
    checks.put("many threads may use it", contract::threads);
    return checks;
  }

  private static KvCacheConfig config() {
    return KvCacheConfig.of(LAYOUT, ROOM);
  }

  private static KvRequest request(int... prompt) {
    return new KvRequest(prompt, prompt.length - 1, "tenant", "model", "");
  }

  private static int[] run(int first, int length) {
    return IntStream.range(first, first + length).toArray();
  }

  /** A whole request in passes of a few tokens. */
  private static Lookup ask(KvCache cache, KvRequest request) {
    int[] prompt = request.prompt();
    try (KvSequence sequence = cache.open(request)) {
      Lookup lookup = sequence.lookup();
      require(lookup.promptTokens() == prompt.length, "a lookup of another prompt: " + lookup);
      require(sequence.length() == lookup.cachedTokens(), "length() is not what was cached");
      new Content(cache.layout()).compute(sequence, prompt, prompt.length, 3);
      sequence.commit(prompt);
      return lookup;
    }
  }

  private static int cached(KvCache cache, KvRequest request) {
    try (KvSequence sequence = cache.open(request)) {
      return sequence.lookup().cachedTokens();
    }
  }

  private void content() {
    for (int seed = 0; seed < 20; seed++) {
      Random random = new Random(seed);
      try (KvCache cache = provider.create(config())) {
        conversations(cache, random, 40);
      } catch (AssertionError e) {
        throw new AssertionError("seed " + seed + ": " + e.getMessage(), e);
      }
    }
  }

  /** Prompts that begin like earlier ones and name some of that as shared. */
  private static void conversations(KvCache cache, Random random, int requests) {
    List<int[]> seen = new ArrayList<>(List.of(new int[] {0}));
    for (int i = 0; i < requests; i++) {
      int[] old = seen.get(random.nextInt(seen.size()));
      int same = random.nextInt(old.length + 1);
      int[] prompt = Arrays.copyOf(old, same + 1 + random.nextInt(9));
      for (int at = same; at < prompt.length; at++) {
        prompt[at] = random.nextInt(5);
      }
      seen.add(prompt);
      ask(cache, new KvRequest(prompt, random.nextInt(same + 1), "", "model", ""));
    }
  }

  private void dtypes() {
    for (KvDtype dtype : KvDtype.values()) {
      KvLayout layout = new KvLayout(2, 2, 4, BLOCK, dtype);
      try (KvCache cache = createIfTaken(KvCacheConfig.of(layout, ROOM), "dtype")) {
        if (cache != null) {
          conversations(cache, new Random(1), 30);
        }
      }
    }
  }

  private void layout() {
    try (KvCache cache = provider.create(config());
        KvSequence sequence = cache.open(request(1, 2, 3))) {
      require(cache.layout().equals(LAYOUT), "layout() is " + cache.layout());
      require(sequence.layout().equals(LAYOUT), "a sequence's is " + sequence.layout());
    }
  }

  private void oneTokenIsLeft() {
    for (int length = 1; length < 4 * BLOCK; length++) {
      try (KvCache cache = provider.create(config())) {
        for (int i = 0; i < 2; i++) {
          int cached = ask(cache, request(run(0, length))).cachedTokens();
          require(cached < length, cached + " cached of " + length + " tokens");
        }
      }
    }
  }

  /** Prompts, and names, that Java's own hash codes do not tell apart. */
  private void hashCodes() {
    int[] one = run(1, PROMPT);
    int[] other = one.clone();
    other[0] -= 1; // 31 less in a hash code whose first element weighs 31 times the second
    other[1] += 31;
    int[] backwards = one.clone(); // the same where the second weighs more
    backwards[0] += 31;
    backwards[1] -= 1;
    try (KvCache cache = provider.create(config())) {
      for (int[] prompt : new int[][] {one, other, backwards}) {
        int cached = ask(cache, request(prompt)).cachedTokens();
        require(cached == 0, cached + " tokens found of a prompt with the same hash code");
      }
      ask(cache, request(one).withNamespace("Aa"));
      int cached = ask(cache, request(one).withNamespace("BB")).cachedTokens();
      require(cached == 0, "namespaces with the same hash code share");
    }
  }

  private void isolation() {
    KvRequest one = request(run(0, PROMPT));
    List<KvRequest> others =
        List.of(
            one.withNamespace("another"),
            one.withSalt("salt"),
            one.withSalt("other salt"),
            one.withModel("another"));
    try (KvCache cache = provider.create(config())) {
      ask(cache, one);
      for (KvRequest other : others) {
        Lookup lookup = ask(cache, other);
        require(lookup.cachedTokens() == 0, other + " found what " + one + " stored");
        boolean tells = lookup.reason() == Lookup.Reason.OTHER_NAMESPACE;
        require(!tells || other.salt().isEmpty(), "a salted request learns what others stored");
      }
    }
    try (KvCache cache = provider.create(config())) {
      ask(cache, one.withSalt("salt"));
      Lookup lookup = ask(cache, one);
      require(lookup.cachedTokens() == 0, "what a salted request stored was found without it");
      require(
          lookup.reason() != Lookup.Reason.OTHER_NAMESPACE,
          "it is told what a salted request stored");
    }
  }

  private boolean shares() {
    try (KvCache cache = provider.create(config())) {
      ask(cache, request(run(0, PROMPT)));
      return cached(cache, request(run(0, PROMPT))) > 0;
    }
  }

  private void timeToLive() {
    AtomicLong clock = new AtomicLong(-5); // as System.nanoTime may be
    KvCacheConfig mortal =
        config().withTimeToLive(Duration.ofNanos(10), false).withTicker(clock::get);
    try (KvCache cache = createIfTaken(mortal, "time")) {
      if (cache == null) {
        return;
      }
      ask(cache, request(run(0, PROMPT)));
      clock.addAndGet(9);
      require(cached(cache, request(run(0, PROMPT))) > 0 == shares(), "gone before its time");
      clock.addAndGet(1);
      require(cached(cache, request(run(0, PROMPT))) == 0, "found after its time");
      require(cache.stats().storage().entries() == 0, "kept after its time");
    }
  }

  private void refreshOnHit() {
    for (boolean refresh : new boolean[] {true, false}) {
      AtomicLong clock = new AtomicLong();
      KvCacheConfig mortal =
          config().withTimeToLive(Duration.ofNanos(10), refresh).withTicker(clock::get);
      try (KvCache cache = createIfTaken(mortal, "time")) {
        if (cache == null || !shares()) {
          continue;
        }
        ask(cache, request(run(0, PROMPT)));
        clock.set(6);
        require(cached(cache, request(run(0, PROMPT))) > 0, "gone before its time");
        clock.set(12);
        boolean found = cached(cache, request(run(0, PROMPT))) > 0;
        require(found == refresh, "refreshed by hits: " + found + ", asked for: " + refresh);
      }
    }
  }

  /** Room for two prompts: which of them goes when a third comes. */
  private void policies() {
    Map<EvictionPolicy.Standard, Integer> victims =
        Map.of(
            EvictionPolicy.Standard.LRU, 0,
            EvictionPolicy.Standard.LFU, 1,
            EvictionPolicy.Standard.FIFO, 0);
    for (EvictionPolicy.Standard policy : EvictionPolicy.Standard.values()) {
      checkVictim(policy, victims.get(policy), true);
    }
    checkVictim(EvictionPolicy.Standard.FIFO, 0, false);
    checkVictim(EvictionPolicy.Standard.LRU, 1, false);
    checkVictim((inserted, used, hits) -> -inserted, 1, true); // one of the user's own
  }

  private void checkVictim(EvictionPolicy policy, int victim, boolean secondUsedLast) {
    KvRequest[] requests = {
      request(run(0, PROMPT)), request(run(100, PROMPT)), request(run(200, PROMPT))
    };
    long room = 2L * 2 * LAYOUT.bytesPerBlock();
    KvCacheConfig config = KvCacheConfig.of(LAYOUT, room).withPolicy(policy);
    try (KvCache cache = createIfTaken(config, "policy")) {
      if (cache == null || !shares()) {
        return;
      }
      for (int i = 0; i < 2; i++) {
        askWhole(cache, requests[i]);
      }
      if (cached(cache, requests[0]) == 0) {
        return; // keeps fewer than two prompts, so that there is nothing to choose
      }
      cached(cache, requests[0]);
      if (secondUsedLast) {
        cached(cache, requests[1]);
      }
      askWhole(cache, requests[2]);
      int kept = cached(cache, requests[1 - victim]);
      int gone = cached(cache, requests[victim]);
      require(
          kept > 0 && gone < kept,
          policy + " gave up another: " + gone + " tokens of the victim's are left, and " + kept);
    }
  }

  /** Computes and commits the whole blocks alone, so that sizes are the same for every cache. */
  private static void askWhole(KvCache cache, KvRequest request) {
    int[] prompt = request.prompt();
    int length = prompt.length / BLOCK * BLOCK;
    try (KvSequence sequence = cache.open(request)) {
      new Content(LAYOUT).compute(sequence, prompt, length, length);
      sequence.commit(prompt);
    }
  }

  private void sizeLimit() {
    for (int blocks = 1; blocks < 12; blocks++) {
      KvCacheConfig small = KvCacheConfig.of(LAYOUT, blocks * LAYOUT.bytesPerBlock());
      try (KvCache cache = provider.create(small)) {
        Random random = new Random(blocks);
        for (int i = 0; i < 30; i++) {
          conversations(cache, random, 3);
          CacheStats.Storage storage = cache.stats().storage();
          require(
              storage.bytes() <= storage.peakBytes() && storage.peakBytes() <= small.maxBytes(),
              storage + " with a limit of " + small.maxBytes() + " bytes");
        }
      }
    }
  }

  private void listener() {
    List<CacheEvent> events = new ArrayList<>();
    KvCacheConfig told =
        KvCacheConfig.of(LAYOUT, 6 * LAYOUT.bytesPerBlock()).withListener(events::add);
    try (KvCache cache = provider.create(told)) {
      conversations(cache, new Random(3), 50);
      Set<Long> numbers = new TreeSet<>();
      long found = 0;
      long cachedTokens = 0;
      long entries = 0;
      long bytes = 0;
      for (CacheEvent event : events) {
        require(numbers.add(event.number()), "two events with number " + event.number());
        if (event instanceof CacheEvent.Found lookup) {
          found++;
          cachedTokens += lookup.lookup().cachedTokens();
        } else if (event instanceof CacheEvent.Inserted inserted) {
          entries += inserted.entries();
          bytes += inserted.bytes();
        } else if (event instanceof CacheEvent.Removed removed) {
          entries -= removed.entries();
          bytes -= removed.bytes();
        }
      }
      CacheStats stats = cache.stats();
      require(found == 50 && found == stats.lookups().count(), found + " lookups were told of");
      require(cachedTokens == stats.lookups().cachedTokens(), "other cached tokens were told of");
      require(
          entries == stats.storage().entries() && bytes == stats.storage().bytes(),
          "events add up to " + entries + " entries of " + bytes + " bytes, not " + stats);
      require(
          numbers.equals(
              new TreeSet<>(
                  IntStream.rangeClosed(1, events.size()).mapToObj(i -> (long) i).toList())),
          "events are not numbered 1 to " + events.size());
    }
  }

  /** Entries told as removed, by cause, which statistics count alike. */
  private void causes() {
    Map<CacheStats.Removal, Long> told = new EnumMap<>(CacheStats.Removal.class);
    KvCacheConfig small =
        KvCacheConfig.of(LAYOUT, 6 * LAYOUT.bytesPerBlock())
            .withListener(event -> count(event, told));
    KvCache cache = provider.create(small);
    try (cache) {
      conversations(cache, new Random(4), 50);
      requireTold(cache, told);
    }
    requireTold(cache, told);
    require(cache.stats().storage().entries() == 0, "a closed cache keeps something");
    expiryIsTold();
  }

  private void expiryIsTold() {
    Map<CacheStats.Removal, Long> told = new EnumMap<>(CacheStats.Removal.class);
    AtomicLong clock = new AtomicLong();
    KvCacheConfig mortal =
        config()
            .withTimeToLive(Duration.ofNanos(10), false)
            .withTicker(clock::get)
            .withListener(event -> count(event, told));
    try (KvCache cache = createIfTaken(mortal, "time")) {
      if (cache == null) {
        return;
      }
      ask(cache, request(run(0, PROMPT)));
      long entries = cache.stats().storage().entries();
      clock.set(10);
      ask(cache, request(run(100, PROMPT)));
      require(
          told.getOrDefault(CacheStats.Removal.EXPIRED, 0L) == entries,
          entries + " entries expired, but of those removed was told: " + told);
      requireTold(cache, told);
    }
  }

  private static void count(CacheEvent event, Map<CacheStats.Removal, Long> told) {
    if (event instanceof CacheEvent.Removed removed && removed.entries() > 0) {
      told.merge(removed.cause(), (long) removed.entries(), Long::sum);
    }
  }

  private static void requireTold(KvCache cache, Map<CacheStats.Removal, Long> told) {
    Map<CacheStats.Removal, Long> counted = new EnumMap<>(CacheStats.Removal.class);
    cache.stats().storage().removed().forEach(counted::put);
    counted.values().removeIf(entries -> entries == 0);
    require(counted.equals(told), "removed are " + counted + ", but told were " + told);
  }

  private void statistics() {
    try (KvCache cache = provider.create(config())) {
      long hits = 0;
      long prompts = 0;
      long found = 0;
      for (int i = 0; i < 12; i++) {
        KvRequest request = request(run(100 * (i % 3), PROMPT + i));
        Lookup lookup = ask(cache, request);
        hits += lookup.cachedTokens() > 0 ? 1 : 0;
        prompts += request.prompt().length;
        found += lookup.cachedTokens();
      }
      CacheStats.Lookups lookups = cache.stats().lookups();
      require(
          lookups.count() == 12
              && lookups.hits() == hits
              && lookups.promptTokens() == prompts
              && lookups.cachedTokens() == found
              && lookups.reasons().values().stream().mapToLong(Long::longValue).sum() == 12,
          lookups + " after 12 lookups, " + hits + " hits, " + found + " of " + prompts);
      CacheStats.Storage storage = cache.stats().storage();
      long removed = storage.removed().values().stream().mapToLong(Long::longValue).sum();
      require(
          storage.inserted() - removed == storage.entries(), "entries do not add up: " + storage);
      require(storage.pinnedBytes() == 0 && storage.runningBytes() == 0, "left over: " + storage);
    }
  }

  private void asking() {
    try (KvCache cache = provider.create(config())) {
      for (int length = 1; length < PROMPT + 3; length++) {
        KvRequest request = request(run(0, length));
        CacheStats before = cache.stats();
        OptionalInt told = cache.cachedTokens(request);
        require(cache.stats().equals(before), "a question was counted");
        require(cache.canHold(length), "no room for " + length + " tokens of " + ROOM + " bytes");
        try (KvSequence sequence = cache.tryOpen(request, false).orElse(null)) {
          require(sequence != null, "no room in a cache that nobody uses");
          int found = sequence.lookup().cachedTokens();
          require(told.orElse(found) == found, "told of " + told + " cached tokens, not " + found);
          new Content(LAYOUT).compute(sequence, request.prompt(), length, 3);
          sequence.commit(request.prompt());
        }
        require(cache.stats().lookups().count() == length, "opening was not counted once");
      }
    }
  }

  private void commits() {
    try (KvCache cache = provider.create(config())) {
      Content content = new Content(LAYOUT);
      int[] tokens = run(0, 20);
      KvSequence sequence = cache.open(request(tokens));
      content.compute(sequence, tokens, 9, 4);
      sequence.commitPrefix(tokens);
      content.compute(sequence, tokens, 12, 4);
      sequence.commit(tokens); // more than was computed
      sequence.commit(Arrays.copyOf(tokens, 5)); // and fewer, and again
      sequence.close();
      sequence.close();
      require(cached(cache, request(tokens)) <= 12, "more is cached than was computed");
      ask(cache, request(tokens));
      try (KvSequence idle = cache.open(request(run(50, 9)))) {
        idle.commit(run(50, 9)); // nothing was computed
      }
      require(cached(cache, request(run(50, 9))) == 0, "what was never computed is cached");
      ask(cache, request(run(50, 9)));
    }
  }

  private void leftPasses() {
    Content content = new Content(LAYOUT);
    int[] sharing = run(0, 3 * BLOCK + 1);
    int[] givenUp = run(100, 3 * BLOCK + 1);
    try (KvCache cache = provider.create(config())) {
      try (KvSequence sequence = cache.open(request(sharing))) {
        Runnable share =
            () -> {
              sequence.commitPrefix(sharing);
              sequence.reserve(sharing.length - sequence.length());
            };
        content.compute(sequence, sharing, sharing.length, BLOCK + 2, share);
        sequence.commit(sharing);
      }
      try (KvSequence sequence = cache.open(request(givenUp))) {
        content.compute(sequence, givenUp, BLOCK + 2, BLOCK + 2);
        content.update(sequence, givenUp, BLOCK + 2, BLOCK, 0);
        require(sequence.length() == BLOCK + 2, "length() counts a pass that is in the middle");
        sequence.commit(givenUp);
      }
      ask(cache, request(sharing));
      ask(cache, request(givenUp));
    }
  }

  private void close() {
    KvCache cache = provider.create(config());
    int[] tokens = run(0, 20);
    ask(cache, request(run(0, 10)));
    KvSequence running = cache.open(request(tokens));
    cache.close();
    cache.close();
    new Content(LAYOUT).compute(running, tokens, 20, 6);
    running.commit(tokens);
    running.close();
    require(cache.stats().storage().bytes() == 0, "a closed cache keeps something");
    boolean refused = false;
    try {
      cache.open(request(tokens)).close();
    } catch (IllegalStateException e) {
      refused = true;
    }
    require(refused, "a closed cache took a request");
  }

  private void threads() {
    AtomicLong clock = new AtomicLong();
    KvCacheConfig busy =
        KvCacheConfig.of(LAYOUT, 10 * LAYOUT.bytesPerBlock()).withTicker(clock::incrementAndGet);
    ExecutorService pool = Executors.newFixedThreadPool(4);
    try (KvCache cache = provider.create(busy)) {
      List<Future<?>> running = new ArrayList<>();
      for (int seed = 0; seed < 4; seed++) {
        Random random = new Random(seed);
        running.add(pool.submit(() -> conversations(cache, random, 300)));
      }
      for (Future<?> thread : running) {
        thread.get();
      }
      require(cache.stats().lookups().count() == 1200, "lookups were lost: " + cache.stats());
      require(cache.stats().storage().pinnedBytes() == 0, "pins are left over");
    } catch (ExecutionException e) {
      throw new AssertionError("in one of four threads: " + e.getCause(), e.getCause());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new AssertionError("interrupted", e);
    } finally {
      pool.shutdownNow();
    }
  }

  /** A cache, or null if the provider refuses in a sentence that names what it cannot do. */
  private KvCache createIfTaken(KvCacheConfig config, String setting) {
    try {
      return provider.create(config);
    } catch (IllegalArgumentException e) {
      require(
          e.getMessage() != null && e.getMessage().contains(setting),
          "refused without naming the " + setting + ": " + e.getMessage());
      return null;
    }
  }

  static void require(boolean condition, String problem) {
    if (!condition) {
      throw new AssertionError(problem);
    }
  }
}
