package kv4j.apps.serve.stress;

import java.io.IOException;
import java.net.http.HttpClient;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import kv4j.apps.serve.stress.ServerProcess.Footprint;

/**
 * Many streaming clients at once, a third of which leave at random, on a cache with a tenth of the
 * bytes that their requests need; no part of the test suite: {@code StressCommand [clients
 * [requests [options of serve]]]}, 200 clients and 2,000 requests of the model stories260K if not
 * said. Exits with status 1 if an answer is not the one that its request got alone, if something
 * hangs or leaks, or if {@code /health} is slow.
 */
final class StressCommand implements AutoCloseable {
  private static final int DISTINCT = 200; // requests
  private static final int PREFIXES = 5; // that they share
  private static final int ROUNDS = 4; // with a look at the footprint after each
  private static final int PATIENCE_MINUTES = 60;
  private static final double SLOW_MS = 100; // for the 99th percentile of /health

  private final List<String> bodies;
  private final List<String> expected;
  private final ServerProcess server;
  private final Asker asker;
  private final ConcurrentLinkedQueue<Double> healthMs = new ConcurrentLinkedQueue<>();

  private StressCommand(List<String> bodies, List<String> expected, List<String> options)
      throws IOException {
    this.bodies = bodies;
    this.expected = expected;
    server = new ServerProcess(options);
    asker = new Asker(HttpClient.newHttpClient(), server.url());
  }

  public static void main(String[] args) throws Exception {
    int clients = args.length > 0 ? Integer.parseInt(args[0]) : 200;
    int requests = args.length > 1 ? Integer.parseInt(args[1]) : 2000;
    List<String> model =
        args.length > 2
            ? Arrays.asList(args).subList(2, args.length)
            : List.of("--model", "testdata/stories260K/stories260K.gguf");
    System.setProperty("jdk.httpclient.keepalive.timeout", "1"); // s: idle connections are no leak
    long seed = System.nanoTime();
    System.out.printf("%d clients, %d requests, seed %d%n", clients, requests, seed);
    SplittableRandom random = new SplittableRandom(seed);
    List<String> bodies = new ArrayList<>();
    List<String> expected = new ArrayList<>();
    long needed = alone(model, random, bodies, expected);
    List<String> options = new ArrayList<>(model);
    options.addAll(List.of("--max-running", "16", "--max-waiting", Integer.toString(clients)));
    options.addAll(List.of("--max-bytes", Long.toString(needed / 10)));
    try (StressCommand stress = new StressCommand(bodies, expected, options)) {
      stress.run(clients, requests / ROUNDS, random);
    } catch (IllegalStateException e) {
      System.out.println(e.getMessage());
      System.exit(1);
    }
  }

  /**
   * Makes requests and has them answered one after the other.
   *
   * @return bytes that their keys and values take together, what they share counted once
   */
  private static long alone(
      List<String> model, SplittableRandom random, List<String> bodies, List<String> expected)
      throws IOException, InterruptedException {
    try (ServerProcess server = new ServerProcess(model)) {
      Asker asker = new Asker(HttpClient.newHttpClient(), server.url());
      int context = asker.get("/v1/models").at("/data/0/max_model_len").intValue();
      for (int i = 0; i < DISTINCT; i++) {
        bodies.add(body(i, context, random));
        expected.add(asker.complete(bodies.get(i), Integer.MAX_VALUE).text());
      }
      return (long) asker.metric("kv_cache_size_peak_bytes");
    }
  }

  /** No character is more than a token: a prompt and its answer take most of the context. */
  private static String body(int number, int context, SplittableRandom random) {
    int prefix = number % PREFIXES;
    String shared = "Story %d. ".formatted(prefix).repeat((prefix + 1) * context / 40 / PREFIXES);
    String own = " Part %03d".formatted(number).repeat(1 + random.nextInt(context / 40));
    int tokens = Math.min(1 << random.nextInt(8), context / 4);
    return "{\"prompt\":\"%s%s\",\"max_tokens\":%d,\"temperature\":%d,\"seed\":%d,\"stream\":true}"
        .formatted(shared, own, tokens, number % 2, number);
  }

  private void run(int clients, int requestsPerRound, SplittableRandom random) throws Exception {
    ScheduledExecutorService prober = Executors.newSingleThreadScheduledExecutor();
    ExecutorService threads = Executors.newFixedThreadPool(clients);
    try {
      prober.scheduleWithFixedDelay(this::probe, 0, 50, TimeUnit.MILLISECONDS);
      List<Footprint> footprints = new ArrayList<>();
      for (int round = 0; round < ROUNDS; round++) {
        round(threads, requestsPerRound, random);
        footprints.add(idle());
        System.out.printf("round %d: %s%n", round + 1, footprints.get(round));
      }
      System.out.printf(
          "%.0f preemptions, %.0f blocks removed, %.0f requests cancelled or ended%n",
          asker.metric("kv4j_preemptions_total"),
          asker.metric("kv_cache_removed_total"),
          asker.metric("kv4j_requests_total"));
      check(footprints.get(0), footprints.get(ROUNDS - 1));
      int status = server.stop();
      require(status == 0, "the server ended with status " + status);
    } finally {
      prober.shutdownNow();
      threads.shutdownNow();
    }
  }

  private void round(ExecutorService threads, int requests, SplittableRandom random)
      throws Exception {
    List<Future<?>> done = new ArrayList<>();
    for (int i = 0; i < requests; i++) {
      int which = random.nextInt(DISTINCT);
      int most = random.nextInt(3) == 0 ? random.nextInt(40) : Integer.MAX_VALUE;
      done.add(threads.submit(() -> ask(which, most)));
    }
    long end = System.nanoTime() + TimeUnit.MINUTES.toNanos(PATIENCE_MINUTES);
    try {
      for (Future<?> one : done) {
        one.get(end - System.nanoTime(), TimeUnit.NANOSECONDS);
      }
    } catch (TimeoutException e) {
      throw new IllegalStateException("it hangs:\n" + server.threads(), e);
    } catch (ExecutionException e) {
      throw new IllegalStateException("a request failed: " + e.getCause().getMessage(), e);
    }
  }

  private Void ask(int which, int most) throws IOException, InterruptedException {
    Asker.Answer answer = asker.complete(bodies.get(which), most);
    String right = expected.get(which);
    require(
        answer.whole() ? right.equals(answer.text()) : right.startsWith(answer.text()),
        "%s%ngot %s%nand alone %s".formatted(bodies.get(which), answer.text(), right));
    return null;
  }

  private void probe() {
    long begin = System.nanoTime();
    try {
      asker.get("/health");
      healthMs.add((System.nanoTime() - begin) / 1e6);
    } catch (IOException e) {
      healthMs.add(Double.POSITIVE_INFINITY);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  /** The footprint once nobody asks for anything and connections of clients that left are gone. */
  private Footprint idle() throws IOException, InterruptedException {
    while (asker.get("/health").at("/running").intValue() > 0
        || asker.get("/health").at("/waiting").intValue() > 0) {
      TimeUnit.MILLISECONDS.sleep(50);
    }
    require(asker.metric("kv_cache_size_running_bytes") == 0, "a request that ended has bytes");
    TimeUnit.SECONDS.sleep(3);
    return server.footprint();
  }

  private void check(Footprint first, Footprint last) {
    double[] health = healthMs.stream().mapToDouble(Double::doubleValue).sorted().toArray();
    double p99 = health[(int) (0.99 * (health.length - 1))];
    System.out.printf("/health, asked %d times: p99 %.1f ms%n", health.length, p99);
    require(p99 < SLOW_MS, "/health was slow");
    require(last.heap() < 1.05 * first.heap() + (2 << 20), "the heap grew");
    require(last.resident() < 1.1 * first.resident() + (16 << 20), "resident memory grew");
    require(last.handles() <= first.handles() + 8, "handles were left open");
    require(last.threads() <= first.threads() + 8, "threads were left");
  }

  private static void require(boolean holds, String otherwise) {
    if (!holds) {
      throw new IllegalStateException(otherwise);
    }
  }

  @Override
  public void close() {
    server.close();
  }
}
