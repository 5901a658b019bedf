package kv4j.apps;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import kv4j.apps.scale.TraceRequest;
import kv4j.cache.KvCacheConfig;
import kv4j.cache.KvRequest;
import kv4j.cache.KvSequence;
import kv4j.cache.block.BlockChain;
import kv4j.cache.block.BlockKey;
import kv4j.cache.block.KvDtype;
import kv4j.cache.block.KvLayout;
import kv4j.cache.radix.RadixKvCache;
import kv4j.cache.store.BlockStore;
import kv4j.cache.store.BlockStores;
import kv4j.cache.store.ClusterOptions;
import kv4j.cache.store.StoreConfig;
import kv4j.cache.store.StoreOptions;

/**
 * A cache with a cluster behind it, in a JVM of its own, and no model: keys and values are zeros.
 * They are computed a token at a time, of which the cache takes no times, so that what it reads
 * does not depend on the machine.
 */
final class FleetMember implements AutoCloseable {
  static final KvLayout LAYOUT = new KvLayout(2, 2, 16, 16, KvDtype.F32);
  private static final Duration PATIENCE = Duration.ofMinutes(2);

  private final Process process;
  private final PrintStream commands;
  private final BufferedReader answers;

  private FleetMember(Process process) {
    this.process = process;
    commands = new PrintStream(process.getOutputStream(), true, StandardCharsets.UTF_8);
    answers = process.inputReader();
  }

  /**
   * Starts a cluster, and waits until all know of each other. Each joins those before it: clusters
   * that begin apart and meet lose what one of them was given.
   */
  static List<FleetMember> start(int count, long maxBytes) throws IOException {
    List<String> addresses = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      try (ServerSocket free = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
        addresses.add("127.0.0.1:" + free.getLocalPort());
      }
    }
    List<FleetMember> members = new ArrayList<>();
    for (String own : addresses) {
      ProcessBuilder java =
          new ProcessBuilder(
              Path.of(System.getProperty("java.home"), "bin", "java").toString(),
              "-Xmx256m",
              "-XX:TieredStopAtLevel=1",
              "-Dorg.jboss.logging.provider=slf4j",
              "-Dorg.slf4j.simpleLogger.defaultLogLevel=error",
              "-cp",
              System.getProperty("java.class.path"),
              FleetMember.class.getName(),
              own,
              String.join(",", addresses),
              Long.toString(maxBytes));
      members.add(new FleetMember(java.redirectError(ProcessBuilder.Redirect.INHERIT).start()));
      for (FleetMember member : members) {
        while (member.ask("nodes") < members.size()) {
          Thread.onSpinWait();
        }
      }
    }
    return members;
  }

  private int ask(String command) throws IOException {
    commands.println(command);
    String answer = answers.readLine();
    if (answer == null) {
      throw new IOException("the process has ended");
    }
    return Integer.parseInt(answer);
  }

  /** Runs a request. Returns the cached tokens that it found. */
  int run(TraceRequest request) throws IOException {
    return ask("run " + request.prompt().length + " " + words(request.kept()));
  }

  /** Waits until it can read all blocks of a request that was run, by whomever. */
  void awaitBlocks(TraceRequest request) throws IOException {
    int blocks = request.kept().length / LAYOUT.blockTokens();
    long begin = System.nanoTime();
    while (ask("readable " + words(request.kept())) < blocks) {
      if (System.nanoTime() - begin > PATIENCE.toNanos()) {
        throw new AssertionError("a member never gets what another has put");
      }
    }
  }

  private static String words(int[] numbers) {
    return IntStream.of(numbers).mapToObj(Integer::toString).collect(Collectors.joining(" "));
  }

  @Override
  public void close() {
    process.destroyForcibly().onExit().join();
  }

  public static void main(String[] args) throws IOException {
    List<String> peers = List.of(args[1].split(","));
    ClusterOptions cluster =
        new ClusterOptions(2, new ClusterOptions.Discovery.Peers(peers), Optional.of(args[0]));
    StoreOptions options =
        new StoreOptions("fleet", OptionalLong.empty(), Optional.empty(), Optional.of(cluster));
    BlockStore store = BlockStores.open("cluster", options, FleetMember.class.getClassLoader());
    store.ready().join();
    StoreConfig behind =
        new StoreConfig(store, StoreConfig.When.COMMIT, 1, LAYOUT.dtype(), PATIENCE);
    KvCacheConfig config = KvCacheConfig.of(LAYOUT, Long.parseLong(args[2])).withStore(behind);
    try (RadixKvCache cache = new RadixKvCache(config);
        BufferedReader commands =
            new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8))) {
      for (String line = commands.readLine(); line != null; line = commands.readLine()) {
        String[] words = line.split(" ");
        int[] numbers = Arrays.stream(words).skip(1).mapToInt(Integer::parseInt).toArray();
        System.out.println(
            switch (words[0]) {
              case "nodes" -> store.contents().nodes().size();
              case "run" -> run(cache, numbers);
              case "readable" -> readable(store, numbers);
              default -> throw new IllegalArgumentException(line);
            });
      }
    }
  }

  private static long readable(BlockStore store, int[] kept) {
    BlockChain chain = new BlockChain(LAYOUT, LAYOUT.dtype(), "", "", "", kept);
    List<BlockKey> keys = IntStream.range(0, chain.size()).mapToObj(chain::key).toList();
    return store.get(keys).stream().filter(value -> value.join() != null).count();
  }

  /**
   * @param numbers how long the prompt is, and what is in place in the end
   */
  private static int run(RadixKvCache cache, int[] numbers) {
    int[] kept = Arrays.copyOfRange(numbers, 1, numbers.length);
    KvSequence sequence = cache.open(KvRequest.of(Arrays.copyOf(kept, numbers[0])));
    try {
      float[] row = new float[LAYOUT.kvHeads() * LAYOUT.headDim()];
      while (sequence.length() < kept.length) {
        for (int layer = 0; layer < LAYOUT.layers(); layer++) {
          sequence.update(layer, row, row, 0, 1);
        }
      }
      sequence.commit(kept);
    } finally {
      sequence.close();
    }
    if (!cache.flush(PATIENCE)) {
      throw new IllegalStateException("the store takes too long");
    }
    return sequence.lookup().cachedTokens();
  }
}
