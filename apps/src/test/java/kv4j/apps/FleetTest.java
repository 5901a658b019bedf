package kv4j.apps;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import kv4j.apps.scale.FleetConfig;
import kv4j.apps.scale.Routing;
import kv4j.apps.scale.Served;
import kv4j.apps.scale.Simulation;
import kv4j.apps.scale.Trace;
import kv4j.apps.scale.TraceRequest;
import kv4j.cache.EvictionPolicy;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What a simulation says of servers is what servers do. */
@Timeout(300)
class FleetTest {
  private static final int BLOCK = 16;
  private static final int TOKEN_BYTES = 2 * 2 * 2 * 16 * 4; // K and V, 2 layers, 2 heads of 16
  private static final int BLOCKS_KEPT = 60;
  private static final int ANSWER = 65; // the only token that is ever generated
  private static final int ANSWER_TOKENS = 20;

  private static List<ServerProcess> servers;

  @BeforeAll
  static void start() throws IOException {
    String bytes = Integer.toString(BLOCKS_KEPT * BLOCK * TOKEN_BYTES);
    servers = ServerProcess.start(3, "--model-preset", "tiny", "--max-bytes", bytes);
  }

  @AfterAll
  static void stop() {
    servers.forEach(ServerProcess::close);
  }

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

  /** Token by token, with as little memory as leads to evictions. */
  @Test
  void serversFindWhatTheSimulationFinds() throws Exception {
    List<Double> rates = new ArrayList<>();
    for (int nodes = 1; nodes <= servers.size(); nodes++) {
      for (Routing routing : List.of(Routing.ROUND_ROBIN, Routing.PREFIX)) {
        for (ServerProcess server : servers) {
          server.ask("POST", "/reset_prefix_cache", "");
        }
        Trace trace = trace(nodes);
        FleetConfig config =
            new FleetConfig(
                nodes,
                routing,
                50,
                (long) BLOCKS_KEPT * BLOCK * TOKEN_BYTES,
                EvictionPolicy.Standard.LRU,
                Optional.empty(),
                TOKEN_BYTES,
                1e6);
        Simulation simulation = Simulation.run(trace, config);
        List<Integer> found = new ArrayList<>();
        for (int i = 0; i < trace.requests().size(); i++) {
          ServerProcess server = servers.get(simulation.served().get(i).node());
          found.add(run(server, trace.requests().get(i)));
        }
        assertEquals(simulation.served().stream().map(Served::cachedTokens).toList(), found);
        rates.add(simulation.memoryHitRate());
      }
    }
    assertTrue(rates.stream().distinct().count() > 4, "all the same: " + rates);
  }
}
