package kv4j.apps.serve;

import com.fasterxml.jackson.databind.JsonNode;
import com.microsoft.playwright.Browser;
import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import java.util.Optional;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import kv4j.apps.serve.http.Keys;
import kv4j.cache.KvRequest;
import kv4j.cache.KvSequence;
import kv4j.cache.block.KvLayout;

/**
 * How smooth the page is over a large tree that keeps changing, and what it costs the server:
 * 20,000 runs and 50 events a second, for ten seconds. Prints frames per second and shares of one
 * processor.
 */
final class PageSpeed {
  private static final int RUNS = 20_000;
  private static final int BRANCHES = 200; // runs that begin a sequence, the others below them
  private static final int SECONDS = 10;
  private static final int MS_BETWEEN = 40; // of a lookup and an insertion each

  private PageSpeed() {}

  public static void main(String[] args) throws Exception {
    Keys none = new Keys(Optional.empty(), Optional.empty(), Optional.empty());
    try (TestServer server = new TestServer(none, 2, 16, Optional.empty(), 1L << 30)) {
      for (int i = 0; i < RUNS; i++) {
        store(server, i);
      }
      System.out.printf("alone: the server takes %.2f %%%n", measure());
      try (Chromium.Running chromium = Chromium.launch()) {
        watch(server, chromium.browser());
      }
    }
  }

  private static void watch(TestServer server, Browser browser) throws Exception {
    ScheduledExecutorService clock = Executors.newSingleThreadScheduledExecutor();
    try (LivePage page = new LivePage(browser, server.server.url())) {
      page.awaitAll(server);
      int[] next = {RUNS};
      clock.scheduleAtFixedRate(
          () -> store(server, next[0]++), 0, MS_BETWEEN, TimeUnit.MILLISECONDS);
      measure(); // while the JVM gets to know it
      JsonNode before = page.player("player.position");
      page.page.evaluate(
          "() => { window.frames_ = 0; const count = () => { window.frames_++; requestAnimationFrame(count) }; count() }");
      double share = measure();
      int frames = (Integer) page.page.evaluate("() => window.frames_");
      int events = page.player("player.position").intValue() - before.intValue();
      System.out.printf(
          "watched: %d runs, %.0f events and %.0f frames a second; the server takes %.2f %%%n",
          page.tree().size(), 1.0 * events / SECONDS, 1.0 * frames / SECONDS, share);
    } finally {
      clock.shutdownNow();
    }
  }

  /** The share of a processor that threads of the server take, in percent. */
  private static double measure() throws InterruptedException {
    long before = cpuNanos();
    Thread.sleep(TimeUnit.SECONDS.toMillis(SECONDS));
    return 100.0 * (cpuNanos() - before) / TimeUnit.SECONDS.toNanos(SECONDS);
  }

  private static long cpuNanos() {
    ThreadMXBean threads = ManagementFactory.getThreadMXBean();
    long nanos = 0;
    for (long id : threads.getAllThreadIds()) {
      var info = threads.getThreadInfo(id);
      if (info != null && info.getThreadName().startsWith("kv4j-http")) {
        nanos += threads.getThreadCpuTime(id);
      }
    }
    return nanos;
  }

  /** A sequence of two blocks; the first is the same for many. */
  private static void store(TestServer server, int number) {
    KvLayout layout = server.model.cache().layout();
    int size = layout.blockTokens();
    int[] tokens =
        IntStream.range(0, 2 * size)
            .map(i -> i == 0 ? number % BRANCHES : i == size ? number / BRANCHES : 97 + i % 26)
            .toArray();
    KvRequest request =
        KvRequest.of(tokens).withModel(server.model.fingerprint()).withLabel("request " + number);
    try (KvSequence sequence = server.model.cache().open(request)) {
      int from = sequence.begin();
      int more = tokens.length - from;
      float[] rows = new float[more * layout.width()];
      for (int layer = 0; layer < layout.layers(); layer++) {
        sequence.update(layer, rows, rows, 0, more);
      }
      sequence.commit(tokens);
    }
  }
}
