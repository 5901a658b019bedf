package kv4j.apps.bench.serving;

import java.io.IOException;
import java.net.Socket;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import kv4j.apps.bench.ServingReport;
import kv4j.apps.measure.TokenCheck;
import kv4j.apps.model.LoadedModel;
import kv4j.apps.report.Progress;
import kv4j.apps.report.RunInfo;
import kv4j.apps.serve.ServeOptions;
import kv4j.apps.serve.Server;
import kv4j.apps.serve.host.ServedModel;
import kv4j.apps.serve.http.Keys;
import kv4j.apps.store.OpenStore;
import kv4j.apps.text.SessionCache;
import kv4j.apps.workload.Spread;
import kv4j.cache.KvCache;
import kv4j.cache.radix.RadixKvCache;
import kv4j.inference.EngineOptions;
import kv4j.inference.GenerationRequest;
import kv4j.inference.InferenceEngine;
import kv4j.inference.schedule.Scheduler;
import kv4j.inference.schedule.SchedulerOptions;
import kv4j.inference.schedule.Submission;
import kv4j.inference.schedule.TokenListener;

/**
 * Measures many requests at once: how fast they generate together, how long a short prompt waits
 * for a long one, and what a server adds to the library. All in turns, round by round.
 */
public final class ServingBench {
  /** Tokens of the longest sequence measured, which the model's context must hold. */
  public static final int CONTEXT = 4032;

  private static final int MANY = 8;
  private static final int OWN = 16; // tokens of a prompt after those shared
  private static final int NEW_TOKENS = 64;
  private static final int SHORT = 32;
  private static final int LONG = 4000;
  private static final int FEW = 2; // tokens to generate where only the first counts
  private static final int FIRSTS = 10; // of the library and of the server in a round
  private static final int WARM_UP_FIRSTS = 100; // a server has much to compile
  private static final String TEXT = "\"text\":\"";
  private static final String LAST_CHUNK = "\r\n0\r\n\r\n";
  private static final int WARM_UP_ROUNDS = 2;
  private static final long CACHE_BYTES = 2L << 30;

  /** Requests that generate side by side, the alone ones first. */
  private enum Case {
    ONE_SHORT(1, 512, 0),
    MANY_SHORT(MANY, 512, 0),
    ONE_LONG(1, 2000 + OWN, 0),
    MANY_SHARED(MANY, 2000 + OWN, 2000),
    MANY_SEPARATE(MANY, 2000 + OWN, 0);

    final int sequences;
    final int prompt;
    final int shared;

    Case(int sequences, int prompt, int shared) {
      this.sequences = sequences;
      this.prompt = prompt;
      this.shared = shared;
    }
  }

  private final LoadedModel model;
  private final EngineOptions options;
  private InferenceEngine engine;
  private final SplittableRandom random = new SplittableRandom(1);
  private final List<List<Double>> decodes =
      Arrays.stream(Case.values()).<List<Double>>map(c -> new ArrayList<>()).toList();
  private final List<Double> idle = new ArrayList<>();
  private final List<Double> busy = new ArrayList<>();
  private final List<Double> library = new ArrayList<>();
  private final List<Double> server = new ArrayList<>();
  private boolean identical = true;

  private ServingBench(LoadedModel model, EngineOptions options) {
    this.model = model;
    this.options = options;
  }

  /** Number of steps that {@link #run} tells the progress of. */
  public static int steps(int rounds) {
    return WARM_UP_ROUNDS + rounds + 1;
  }

  /**
   * Runs all.
   *
   * @param info of this run
   * @param rounds to measure, at least 1
   */
  public static ServingReport run(
      LoadedModel model, EngineOptions options, RunInfo info, int rounds, Progress progress)
      throws Exception {
    ServingBench bench = new ServingBench(model, options);
    bench.byLibrary(rounds, progress);
    bench.byServer(rounds, progress);
    return bench.report(info, rounds);
  }

  private void byLibrary(int rounds, Progress progress)
      throws InterruptedException, ExecutionException {
    try (InferenceEngine compiled = InferenceEngine.create(model.model(), options)) {
      engine = compiled;
      for (int i = 0; i < WARM_UP_ROUNDS + rounds; i++) {
        if (i == WARM_UP_ROUNDS) {
          decodes.forEach(List::clear);
          idle.clear();
          busy.clear();
        }
        for (Case which : Case.values()) {
          decodes.get(which.ordinal()).add(decode(which));
        }
        arrivals();
        progress.step("side by side");
      }
    }
  }

  private void byServer(int rounds, Progress progress) throws Exception {
    ServeOptions listen =
        new ServeOptions(
            "127.0.0.1",
            0,
            new Keys(Optional.empty(), Optional.empty(), Optional.empty()),
            MANY,
            MANY,
            SchedulerOptions.defaults().maxRows(),
            SessionCache.of(CACHE_BYTES),
            Optional.empty(),
            Optional.empty(),
            Optional.empty(),
            Duration.ZERO);
    try (ServedModel served =
            new ServedModel(model, options, listen.cache(), OpenStore.none(), listen.scheduling());
        Server http = started(new Server(served, listen));
        Socket socket = new Socket("127.0.0.1", URI.create(http.url()).getPort())) {
      socket.setTcpNoDelay(true);
      for (int i = 0; i < WARM_UP_FIRSTS + FIRSTS * rounds; i++) {
        if (i == WARM_UP_FIRSTS) {
          library.clear();
          server.clear();
        }
        library.add(first(served.scheduler()));
        server.add(first(socket));
      }
      progress.step("through the server");
    }
  }

  private static Server started(Server server) {
    server.start();
    return server;
  }

  private ServingReport report(RunInfo info, int rounds) {
    List<ServingReport.Decode> all =
        Arrays.stream(Case.values())
            .map(
                c ->
                    new ServingReport.Decode(
                        c.sequences, c.prompt, c.shared, Spread.of(decodes.get(c.ordinal()))))
            .toList();
    return new ServingReport(
        info,
        rounds,
        all,
        new ServingReport.Arrival(SHORT, Spread.of(idle), LONG, Spread.of(busy)),
        new ServingReport.First(SHORT, Spread.of(library), Spread.of(server)),
        identical);
  }

  private int[] tokens(int n) {
    return random.ints(n, 0, model.model().config().vocabulary()).toArray();
  }

  private KvCache cache() {
    return new RadixKvCache(SessionCache.of(CACHE_BYTES).config(engine, event -> {}));
  }

  private Scheduler scheduler(KvCache cache) {
    SchedulerOptions usual = SchedulerOptions.defaults();
    return new Scheduler(
        engine,
        cache,
        new SchedulerOptions(usual.maxRows(), MANY, usual.maxWaiting(), usual.maxOvertakes()));
  }

  /** Times of a request's tokens, which are compared with others. */
  private static final class Clock implements TokenListener {
    final long[] nanos = new long[NEW_TOKENS];
    final int[] tokens = new int[NEW_TOKENS];
    int count;

    @Override
    public boolean token(int token, float[] logits) {
      nanos[count] = System.nanoTime();
      tokens[count++] = token;
      return true;
    }
  }

  /** Tokens per second while all generate, on prompts that have been computed before. */
  private double decode(Case which) throws InterruptedException, ExecutionException {
    List<GenerationRequest> requests = new ArrayList<>();
    int[] common = tokens(which.shared);
    for (int i = 0; i < which.sequences; i++) {
      int[] prompt = Arrays.copyOf(common, which.prompt);
      int own = which.prompt - which.shared;
      System.arraycopy(tokens(own), 0, prompt, which.shared, own);
      requests.add(GenerationRequest.greedy(prompt, NEW_TOKENS));
    }
    List<Clock> clocks = new ArrayList<>();
    try (KvCache cache = cache();
        Scheduler scheduler = scheduler(cache)) {
      for (GenerationRequest request : requests) {
        scheduler.submit(GenerationRequest.greedy(request.prompt(), 1)).await();
      }
      List<Submission> submissions = new ArrayList<>();
      for (GenerationRequest request : requests) {
        Clock clock = new Clock();
        clocks.add(clock);
        submissions.add(scheduler.submit(request, clock));
      }
      for (Submission submission : submissions) {
        submission.await();
      }
    }
    checkAlone(requests, clocks);
    long from = clocks.stream().mapToLong(clock -> clock.nanos[0]).max().orElseThrow();
    long to = clocks.stream().mapToLong(clock -> clock.nanos[NEW_TOKENS - 1]).min().orElseThrow();
    long count =
        clocks.stream()
            .flatMapToLong(clock -> Arrays.stream(clock.nanos))
            .filter(at -> at > from && at <= to)
            .count();
    return count * 1e9 / (to - from);
  }

  /** One of them again, alone: its tokens must be the same. */
  private void checkAlone(List<GenerationRequest> requests, List<Clock> clocks)
      throws InterruptedException, ExecutionException {
    int which = random.nextInt(requests.size());
    TokenCheck check = new TokenCheck(clocks.get(which).tokens);
    try (KvCache cache = cache();
        Scheduler scheduler = scheduler(cache)) {
      scheduler.submit(requests.get(which), check).await();
    }
    identical &= check.agrees();
  }

  private void arrivals() throws InterruptedException, ExecutionException {
    try (KvCache cache = cache();
        Scheduler scheduler = scheduler(cache)) {
      idle.add(first(scheduler));
      CountDownLatch begun = new CountDownLatch(1);
      Submission other =
          scheduler.submit(
              GenerationRequest.greedy(tokens(LONG), FEW),
              new TokenListener() {
                @Override
                public void prefilled(int tokens) {
                  begun.countDown();
                }

                @Override
                public boolean token(int token, float[] logits) {
                  return true;
                }
              });
      begun.await();
      busy.add(first(scheduler));
      other.cancel();
      other.await();
    }
  }

  /** Time to first token of a prompt of which nothing is cached, ms. */
  private double first(Scheduler scheduler) throws InterruptedException, ExecutionException {
    GenerationRequest request = GenerationRequest.greedy(tokens(SHORT), FEW);
    return scheduler.submit(request).await().ttftNanos() / 1e6;
  }

  /**
   * The same through the server, until the client has the first text. The client is no more than a
   * socket, as what others do besides would count as the server's.
   */
  private double first(Socket socket) throws IOException {
    String body =
        "{\"prompt\":%s,\"max_tokens\":%d,\"temperature\":0,\"stream\":true}"
            .formatted(Arrays.toString(tokens(SHORT)), FEW);
    String request =
        "POST /v1/completions HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
            + "Content-Length: %d\r\n\r\n%s".formatted(body.length(), body);
    long start = System.nanoTime();
    socket.getOutputStream().write(request.getBytes(StandardCharsets.US_ASCII));
    double ms = 0;
    StringBuilder answer = new StringBuilder();
    byte[] buffer = new byte[1 << 16];
    while (answer.indexOf(LAST_CHUNK) < 0) {
      int count = socket.getInputStream().read(buffer);
      if (count < 0) {
        throw new IOException("the server ended its answer early: " + answer);
      }
      answer.append(new String(buffer, 0, count, StandardCharsets.ISO_8859_1));
      if (ms == 0 && answer.indexOf(TEXT) >= 0) {
        ms = (System.nanoTime() - start) / 1e6;
      }
    }
    return ms;
  }
}
