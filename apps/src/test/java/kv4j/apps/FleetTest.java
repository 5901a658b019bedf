package kv4j.apps;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import kv4j.apps.scale.FleetConfig;
import kv4j.apps.scale.Routing;
import kv4j.apps.scale.Served;
import kv4j.apps.scale.Simulation;
import kv4j.apps.scale.Trace;
import kv4j.apps.scale.TraceRequest;
import kv4j.cache.EvictionPolicy;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What a simulation says of servers is what servers do. */
@Timeout(300)
class FleetTest {
  private static final int BLOCK = FleetMember.LAYOUT.blockTokens();
  private static final long TOKEN_BYTES = FleetMember.LAYOUT.bytesPerBlock() / BLOCK; // tiny's too
  private static final long MEMORY = 60 * BLOCK * TOKEN_BYTES;
  private static final int MOST_NODES = 3;
  private static final int ANSWER = 65; // the only token that is ever generated
  private static final int ANSWER_TOKENS = 20;

  /** Conversations that take turns at random, and begin in one of three ways. */
  private static Trace trace(long seed) {
    SplittableRandom random = new SplittableRandom(seed);
    int[][] beginnings =
        IntStream.range(0, 3).mapToObj(i -> text(random, 40)).toArray(int[][]::new);
    List<int[]> conversations = new ArrayList<>();
    List<TraceRequest> requests = new ArrayList<>();
    for (int i = 0; i < 60; i++) {
      int turn = random.nextInt(conversations.size() + 2);
      int[] before =
          turn < conversations.size()
              ? conversations.remove(turn)
              : beginnings[random.nextInt(beginnings.length)];
      int[] prompt = joined(before, text(random, random.nextInt(1, 60)));
      int[] answered =
          joined(prompt, IntStream.generate(() -> ANSWER).limit(ANSWER_TOKENS).toArray());
      int[] kept = Arrays.copyOf(answered, answered.length - 1); // nobody computed the last one's
      requests.add(new TraceRequest(i, prompt.length, prompt, kept));
      if (answered.length < 300) {
        conversations.add(answered);
      }
    }
    return new Trace(1, BLOCK, requests);
  }

  private static int[] text(SplittableRandom random, int tokens) {
    return random.ints(tokens, 'a', 'z').toArray();
  }

  private static int[] joined(int[] first, int[] second) {
    return IntStream.concat(IntStream.of(first), IntStream.of(second)).toArray();
  }

  /** Cached tokens that a server says it found. */
  private static int run(ServerProcess server, TraceRequest request) throws Exception {
    String body =
        "{\"prompt\": %s, \"max_tokens\": %d, \"temperature\": 0, \"logit_bias\": {\"%d\": 100}}"
            .formatted(Arrays.toString(request.prompt()), ANSWER_TOKENS, ANSWER);
    JsonNode answer = server.ask("POST", "/v1/completions", body);
    assertEquals("A".repeat(ANSWER_TOKENS), answer.at("/choices/0/text").textValue());
    return answer.at("/usage/prompt_tokens_details/cached_tokens").intValue();
  }

  private static Simulation simulate(
      Trace trace, int nodes, Routing routing, Optional<FleetConfig.Store> store) {
    return Simulation.run(
        trace,
        new FleetConfig(
            nodes, routing, 50, MEMORY, EvictionPolicy.Standard.LRU, store, TOKEN_BYTES, 1e6));
  }

  /** What becomes of a request that a server is sent. */
  private interface Sender {
    int cachedTokens(int server, TraceRequest request) throws Exception;
  }

  /** Sends each request where the simulation did, and compares what it finds. */
  private static void compare(Trace trace, Simulation simulation, Sender servers) throws Exception {
    List<Integer> found = new ArrayList<>();
    for (int i = 0; i < trace.requests().size(); i++) {
      int server = simulation.served().get(i).node();
      found.add(servers.cachedTokens(server, trace.requests().get(i)));
    }
    assertEquals(simulation.served().stream().map(Served::cachedTokens).toList(), found);
  }

  /** Token by token, with as little memory as leads to evictions. */
  @Test
  void serversFindWhatTheSimulationFinds() throws Exception {
    String bytes = Long.toString(MEMORY);
    List<ServerProcess> servers =
        ServerProcess.start(MOST_NODES, "--model-preset", "tiny", "--max-bytes", bytes);
    Set<Double> rates = new HashSet<>();
    try {
      for (int nodes = 1; nodes <= MOST_NODES; nodes++) {
        for (Routing routing : List.of(Routing.TURNS, Routing.PREFIX)) {
          for (ServerProcess server : servers) {
            server.ask("POST", "/reset_prefix_cache", "");
          }
          Trace trace = trace(nodes);
          Simulation simulation = simulate(trace, nodes, routing, Optional.empty());
          compare(trace, simulation, (server, request) -> run(servers.get(server), request));
          rates.add(simulation.memoryHitRate());
        }
      }
    } finally {
      servers.forEach(ServerProcess::close);
    }
    assertEquals(5, rates.size(), "routing to one server is one server: " + rates);
  }

  /** Two of the processes keep each block, and each finds what any has computed. */
  @Test
  void clustersFindWhatTheSimulationFinds() throws Exception {
    Optional<FleetConfig.Store> store = Optional.of(new FleetConfig.Store(2, Long.MAX_VALUE, 1e12));
    for (int nodes = 1; nodes <= MOST_NODES; nodes++) {
      Trace trace = trace(nodes);
      Simulation simulation = simulate(trace, nodes, Routing.TURNS, store);
      assertTrue(simulation.storeHitRate() > 0.1, "hardly any: " + simulation.storeHitRate());
      List<FleetMember> members = FleetMember.start(nodes, MEMORY);
      try {
        compare(
            trace,
            simulation,
            (server, request) -> {
              int found = members.get(server).run(request);
              for (FleetMember member : members) {
                member.awaitBlocks(request); // others get them a moment later
              }
              return found;
            });
      } finally {
        members.forEach(FleetMember::close);
      }
    }
  }
}
