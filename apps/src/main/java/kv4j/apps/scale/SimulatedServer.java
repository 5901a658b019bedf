package kv4j.apps.scale;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import kv4j.cache.index.Chain;
import kv4j.cache.index.Keyspace;
import kv4j.cache.index.Limits;
import kv4j.cache.index.PrefixIndex;

/**
 * One server: a real prefix index around blocks without content, and prompts that are computed one
 * after the other. Generating takes no time here.
 */
final class SimulatedServer {
  private static final Keyspace SPACE = new Keyspace("", "", "");
  private static final Object BLOCK = new Object();

  private final int number;
  private final Trace trace;
  private final FleetConfig config;
  private final Optional<SharedStore> store;
  private final long blockBytes;
  private final PrefixIndex<Object> index;
  private double freeAt; // s
  private double busy; // s

  SimulatedServer(int number, Trace trace, FleetConfig config, Optional<SharedStore> store) {
    this.number = number;
    this.trace = trace;
    this.config = config;
    this.store = store;
    blockBytes = config.bytesPerToken() * trace.blockTokens();
    Limits limits =
        new Limits(trace.idsPerBlock(), config.memoryBytes(), config.policy(), 0, false);
    index = new PrefixIndex<>(limits, block -> blockBytes, () -> 0, event -> {});
  }

  /** Seconds that it has computed or read. */
  double busySeconds() {
    return busy;
  }

  Served serve(TraceRequest request) {
    double start = Math.max(request.seconds(), freeAt);
    SharedStore.Found found = fetch(request, start);
    PrefixIndex.Match<Object> match = index.match(SPACE, request.prompt());
    int cached =
        Math.min(match.lookup().cachedTokens() * trace.tokensPerId(), request.promptTokens() - 1);
    keep(match, request.kept());
    int read = Math.min(found.blocks() * trace.blockTokens(), cached);
    long readBytes = found.remote() * blockBytes;
    double seconds = (request.promptTokens() - cached) / config.prefillRate();
    if (readBytes > 0) {
      seconds += readBytes / config.store().orElseThrow().bytesPerSecond();
    }
    freeAt = start + seconds;
    busy += seconds;
    store.ifPresent(shared -> shared.put(keys(request.kept()), freeAt));
    double ttft = freeAt - request.seconds();
    return new Served(number, request.promptTokens(), cached - read, read, readBytes, ttft, freeAt);
  }

  /** Brings into memory what follows there in the store, as far as there is room. */
  private SharedStore.Found fetch(TraceRequest request, double now) {
    if (store.isEmpty() || !config.isReadingFaster(config.store().orElseThrow())) {
      return new SharedStore.Found(0, 0);
    }
    int[] prompt = request.prompt();
    int perBlock = trace.idsPerBlock();
    long[] keys = keys(Arrays.copyOf(prompt, prompt.length - 1));
    int inMemory = index.cachedTokens(SPACE, prompt) / perBlock;
    SharedStore.Found found = store.get().find(keys, inMemory, number, now);
    int[] tokens = Arrays.copyOf(prompt, (inMemory + found.blocks()) * perBlock);
    List<Object> blocks = Collections.nCopies(found.blocks(), BLOCK);
    int kept = blocks.isEmpty() ? 0 : index.adopt(new Chain<>(SPACE, tokens, inMemory, blocks), "");
    return new SharedStore.Found(kept, found.remote());
  }

  /** Does what a sequence does that has been computed. */
  private void keep(PrefixIndex.Match<Object> match, int[] kept) {
    List<Object> blocks = new ArrayList<>(match.shared());
    int own = (kept.length + trace.idsPerBlock() - 1) / trace.idsPerBlock() - blocks.size();
    blocks.addAll(Collections.nCopies(own, BLOCK));
    index.reserve(match.lease(), own * blockBytes);
    index.commit(match.lease(), kept, kept.length, blocks);
  }

  /** Keys of the full blocks of ids: each says what all ids up to its end are. */
  private long[] keys(int[] ids) {
    long[] keys = new long[ids.length / trace.idsPerBlock()];
    long before = 0;
    for (int i = 0; i < keys.length; i++) {
      int from = i * trace.idsPerBlock();
      before = HashRing.hash(before, ids, from, from + trace.idsPerBlock());
      keys[i] = before;
    }
    return keys;
  }
}
