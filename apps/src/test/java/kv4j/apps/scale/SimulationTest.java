package kv4j.apps.scale;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import kv4j.cache.EvictionPolicy;
import kv4j.cache.ExpectedHits;
import kv4j.cache.KvRequest;
import kv4j.cache.radix.RadixProvider;
import org.junit.jupiter.api.Test;

class SimulationTest {
  private static final long PLENTY = 1L << 50;
  private static final int RATE = 1000; // tokens a second that a server computes
  private static final int TOKEN_BYTES = 10;
  private static final FleetConfig.Store STORE = new FleetConfig.Store(2, PLENTY, 50_000);

  private static FleetConfig fleet(
      int nodes, Routing routing, long memoryBytes, Optional<FleetConfig.Store> store) {
    return new FleetConfig(
        nodes, routing, 200, memoryBytes, EvictionPolicy.Standard.LRU, store, TOKEN_BYTES, RATE);
  }

  private static TraceRequest request(double seconds, int... blocks) {
    int[] kept = Arrays.copyOf(blocks, blocks.length - 1); // the last is not full
    return new TraceRequest(seconds, 100 * blocks.length - 50, blocks, kept);
  }

  private static List<Double> ttfts(Simulation run) {
    return run.served().stream()
        .map(served -> Math.round(served.ttftSeconds() * 1e6) / 1e6)
        .toList();
  }

  private static List<Integer> found(Simulation run) {
    return run.served().stream().map(Served::cachedTokens).toList();
  }

  /** Blocks of 100 tokens: 0.1 s to compute, 0.02 s to read from another server. */
  @Test
  void whatIsWorkedOutOnPaper() {
    Trace trace =
        new Trace(
            100,
            1,
            List.of(
                request(0, 1, 2, 3, 4), // 350 tokens
                request(0.1, 1, 2, 3, 5), // 300 are cached once the first is done, after 0.25 s
                request(10, 1, 2, 6, 7))); // 200 are cached
    Simulation one = Simulation.run(trace, fleet(1, Routing.TURNS, PLENTY, Optional.empty()));
    assertEquals(List.of(0, 300, 200), found(one));
    assertEquals(List.of(0.35, 0.3, 0.15), ttfts(one));
    assertEquals(500 / 1050.0, one.memoryHitRate(), 1e-12);

    // The second server's first request comes before the first server's is done.
    Simulation two = Simulation.run(trace, fleet(2, Routing.TURNS, PLENTY, Optional.empty()));
    assertEquals(List.of(0, 0, 200), found(two));
    assertEquals(List.of(0.35, 0.35, 0.15), ttfts(two));
    assertEquals(0.5 / (0.85 / 2), two.imbalance(), 1e-9);

    FleetConfig.Store single = new FleetConfig.Store(1, PLENTY, 50_000);
    Simulation shared = Simulation.run(trace, fleet(3, Routing.TURNS, PLENTY, Optional.of(single)));
    assertEquals(List.of(0, 0, 200), found(shared));
    Served last = shared.served().get(2);
    assertEquals(200, last.storeTokens());
    assertEquals(0.15 + last.readBytes() / 50_000.0, last.ttftSeconds(), 1e-9);
    assertTrue(List.of(0L, 1000L, 2000L).contains(last.readBytes()), last.toString());
  }

  /** By comparing with every earlier request, in place of a tree. */
  @Test
  void oneServerWithRoomForAllFindsTheLongestPrefixThereIs() {
    SplittableRandom random = new SplittableRandom(3);
    ExpectedHits expected = new RadixProvider().expectedHits().orElseThrow();
    List<Integer> hits = new ArrayList<>();
    List<TraceRequest> requests = new ArrayList<>();
    for (int i = 0; i < 300; i++) {
      int[] tokens = random.ints(random.nextInt(2, 40), 0, 2).toArray();
      int prompt = random.nextInt(1, tokens.length);
      int[] asked = Arrays.copyOf(tokens, prompt);
      requests.add(new TraceRequest(i, prompt, asked, Arrays.copyOf(tokens, tokens.length - 1)));
      hits.add(expected.next(KvRequest.of(asked)));
      expected.ran(KvRequest.of(asked), Arrays.copyOfRange(tokens, prompt, tokens.length));
    }
    Trace trace = new Trace(1, 4, requests);
    assertEquals(
        hits, found(Simulation.run(trace, fleet(1, Routing.TURNS, PLENTY, Optional.empty()))));
  }

  /** One after the other, since a block that is being computed is not in the store yet. */
  @Test
  void withAStoreForAllItMakesNoDifferenceWhoServes() {
    List<TraceRequest> drawn = TraceShape.CONVERSATION.draw(400, 0.05, 1).requests();
    List<TraceRequest> apart = new ArrayList<>();
    for (TraceRequest each : drawn) {
      double seconds = 1e4 * apart.size();
      apart.add(new TraceRequest(seconds, each.promptTokens(), each.prompt(), each.kept()));
    }
    Trace trace = new Trace(Trace.PUBLISHED_BLOCK, 1, apart);
    FleetConfig alone = fleet(1, Routing.TURNS, PLENTY, Optional.empty());
    List<Integer> most = found(Simulation.run(trace, alone));
    for (int nodes : List.of(2, 7)) {
      for (Routing routing : Routing.values()) {
        FleetConfig sharing = fleet(nodes, routing, PLENTY, Optional.of(STORE));
        assertEquals(most, found(Simulation.run(trace, sharing)), nodes + " " + routing);
        FleetConfig lonely = fleet(nodes, routing, PLENTY, Optional.empty());
        List<Integer> less = found(Simulation.run(trace, lonely));
        assertTrue(routing != Routing.TURNS || !most.equals(less));
        assertTrue(IntStream.range(0, most.size()).allMatch(i -> less.get(i) <= most.get(i)));
      }
    }
  }

  @Test
  void aStoreThatIsSlowerThanComputingIsNotRead() {
    Trace trace = TraceShape.CONVERSATION.draw(100, 1e-3, 1);
    for (double bytesPerSecond : List.of(RATE * TOKEN_BYTES * 0.99, RATE * TOKEN_BYTES * 1.01)) {
      FleetConfig.Store store = new FleetConfig.Store(2, PLENTY, bytesPerSecond);
      FleetConfig config = fleet(5, Routing.TURNS, PLENTY, Optional.of(store));
      boolean read = Simulation.run(trace, config).storeHitRate() > 0;
      assertEquals(bytesPerSecond > RATE * TOKEN_BYTES, read);
    }
  }

  /** What does not fit into memory comes from the store, up to what fits there. */
  @Test
  void memoryAndStoreAreFull() {
    Trace trace = TraceShape.TOOL_AGENT.draw(500, 1e-3, 1);
    long few = 40L * Trace.PUBLISHED_BLOCK * TOKEN_BYTES;
    double before = -1;
    for (long bytes : List.of(few, 10 * few, PLENTY)) {
      FleetConfig.Store store = new FleetConfig.Store(1, bytes, 50_000);
      Simulation run = Simulation.run(trace, fleet(4, Routing.TURNS, few, Optional.of(store)));
      assertTrue(run.storeHitRate() > before, bytes + ": " + run.storeHitRate());
      before = run.storeHitRate();
    }
    Simulation whole = Simulation.run(trace, fleet(1, Routing.PREFIX, PLENTY, Optional.empty()));
    Simulation small = Simulation.run(trace, fleet(1, Routing.PREFIX, few, Optional.empty()));
    assertTrue(small.memoryHitRate() < 0.7 * whole.memoryHitRate());
  }

  /** A few instructions are much in demand: their servers are too, unless loads are bounded. */
  @Test
  void routingByPrefixFindsMoreAndBurdensSomeMore() {
    Trace trace = TraceShape.TOOL_AGENT.draw(2000, 0.6 * 10 * RATE / 8596, 1);
    long memory = 200L * Trace.PUBLISHED_BLOCK * TOKEN_BYTES;
    Simulation turns = Simulation.run(trace, fleet(10, Routing.TURNS, memory, Optional.empty()));
    Simulation prefix = Simulation.run(trace, fleet(10, Routing.PREFIX, memory, Optional.empty()));
    Simulation bounded =
        Simulation.run(trace, fleet(10, Routing.BOUNDED, memory, Optional.empty()));
    assertTrue(prefix.memoryHitRate() > bounded.memoryHitRate());
    assertTrue(bounded.memoryHitRate() > turns.memoryHitRate());
    assertTrue(prefix.imbalance() > bounded.imbalance());
    assertTrue(prefix.ttftSeconds().p95() > bounded.ttftSeconds().p95());
  }
}
