package kv4j.apps;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import kv4j.apps.scale.FleetConfig;
import kv4j.apps.scale.Routing;
import kv4j.apps.scale.Served;
import kv4j.apps.scale.Simulation;
import kv4j.apps.scale.Trace;
import kv4j.apps.scale.TraceRequest;
import kv4j.apps.workload.Spread;
import kv4j.cache.EvictionPolicy;

/**
 * Times one to three real servers of shape S, first alone and then with a cluster behind them,
 * beside the simulation of them at the rates that they were measured to have. The machine must do
 * nothing else meanwhile. Not a test: {@code main} prints what it finds.
 */
final class FleetSpeed {
  private static final int REQUESTS = 40;
  private static final int WARM_UP = 5; // requests that do not count
  private static final long MEMORY = 1L << 30;
  private static final int TOKEN_BYTES = 32 << 10;
  private static final double NETWORK = 1e9; // bytes a second
  private static final String BODY =
      "{\"prompt\": %s, \"max_tokens\": 4, \"temperature\": 0, \"logit_bias\": {\"65\": 100}}";

  private FleetSpeed() {}

  public static void main(String[] args) throws Exception {
    for (boolean cluster : List.of(false, true)) {
      for (int nodes = 1; nodes <= 3; nodes++) {
        run(nodes, cluster);
      }
    }
  }

  /** Requests of 600 to 2,500 tokens that take turns at random. */
  private static Trace trace(long seed) {
    SplittableRandom random = new SplittableRandom(seed);
    List<int[]> conversations = new ArrayList<>();
    IntStream.range(0, 3).forEach(i -> conversations.add(text(random, 600)));
    List<TraceRequest> requests = new ArrayList<>();
    for (int i = 0; i < REQUESTS; i++) {
      int[] before = conversations.get(random.nextInt(conversations.size()));
      int[] more = text(random, random.nextInt(50, 400));
      int[] prompt = Arrays.copyOf(before, before.length + more.length);
      System.arraycopy(more, 0, prompt, before.length, more.length);
      int[] kept = Arrays.copyOf(prompt, prompt.length + 3);
      Arrays.fill(kept, prompt.length, kept.length, 65);
      requests.add(new TraceRequest(1000.0 * i, prompt.length, prompt, kept));
      if (prompt.length < 2100) {
        conversations.add(prompt);
      }
    }
    return new Trace(1, 16, requests);
  }

  private static int[] text(SplittableRandom random, int tokens) {
    return random.ints(tokens, 'a', 'z').toArray();
  }

  private static Simulation simulate(Trace trace, int nodes, boolean cluster, double rate) {
    Optional<FleetConfig.Store> store =
        cluster ? Optional.of(new FleetConfig.Store(2, MEMORY, NETWORK)) : Optional.empty();
    return Simulation.run(
        trace,
        new FleetConfig(
            nodes,
            Routing.TURNS,
            1,
            MEMORY,
            EvictionPolicy.Standard.LRU,
            store,
            TOKEN_BYTES,
            rate));
  }

  private static void run(int nodes, boolean cluster) throws Exception {
    List<String> options =
        new ArrayList<>(List.of("--model-preset", "S", "--max-bytes", Long.toString(MEMORY)));
    if (cluster) {
      options.addAll(List.of("--store", "cluster:fleet-speed", "--store-owners", "2"));
    }
    List<ServerProcess> servers =
        ServerProcess.start(
            nodes,
            List.of("--add-modules", "jdk.incubator.vector", "-XX:+UseSerialGC"),
            options.toArray(String[]::new));
    try {
      Trace trace = trace(nodes);
      List<Served> planned = simulate(trace, nodes, cluster, 1).served();
      List<Integer> cached = new ArrayList<>();
      List<Double> millis = new ArrayList<>();
      for (int i = 0; i < REQUESTS; i++) {
        ServerProcess server = servers.get(planned.get(i).node());
        String body = BODY.formatted(Arrays.toString(trace.requests().get(i).prompt()));
        JsonNode answer = server.ask("POST", "/v1/completions", body);
        cached.add(answer.at("/usage/prompt_tokens_details/cached_tokens").intValue());
        millis.add(answer.at("/kv4j/prefill_ms").doubleValue());
        while (server.ask("GET", "/cache/stats", "").at("/store/queued_bytes").longValue() > 0) {
          Thread.onSpinWait();
        }
      }
      print(trace, nodes, cluster, cached, millis);
    } finally {
      servers.forEach(ServerProcess::close);
    }
  }

  private static void print(
      Trace trace, int nodes, boolean cluster, List<Integer> cached, List<Double> millis) {
    double computed = 0;
    double computing = 0;
    for (int i = WARM_UP; i < REQUESTS; i++) {
      computed += trace.requests().get(i).promptTokens() - cached.get(i);
      computing += millis.get(i);
    }
    double rate = computed / computing * 1000;
    Simulation simulation = simulate(trace, nodes, cluster, rate);
    List<Double> simulated =
        simulation.served().stream().map(served -> 1000 * served.ttftSeconds()).toList();
    long prompts = trace.requests().stream().mapToInt(TraceRequest::promptTokens).sum();
    System.out.printf(
        Locale.ROOT,
        "%d servers, cluster %s: %.1f %% cached, simulated %.1f %%; TTFT %s, simulated %s; %.0f"
            + " tokens/s%n",
        nodes,
        cluster,
        100.0 * cached.stream().mapToInt(Integer::intValue).sum() / prompts,
        100 * (simulation.memoryHitRate() + simulation.storeHitRate()),
        spread(millis),
        spread(simulated),
        rate);
  }

  private static String spread(List<Double> millis) {
    Spread spread = Spread.of(millis.subList(WARM_UP, REQUESTS));
    return String.format(Locale.ROOT, "%.0f ms (p95 %.0f)", spread.median(), spread.p95());
  }
}
