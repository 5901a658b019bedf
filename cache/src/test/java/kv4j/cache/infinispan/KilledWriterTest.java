package kv4j.cache.infinispan;

import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Processes that write to a folder until they are killed, one after the other. */
class KilledWriterTest {
  private static final int FOLDERS = 2;
  private static final int KILLS = 50 / FOLDERS;
  private static final int KEYS = 100;
  private static final int BYTES = 100_000;

  @TempDir Path folder;

  @Test
  void nothingIsLostButWhatWasInFlight() throws Exception {
    long seed = System.nanoTime();
    ExecutorService threads = Executors.newFixedThreadPool(FOLDERS);
    try {
      List<Callable<Void>> runs = List.of(new Run(seed), new Run(seed + 1));
      for (Future<Void> run : threads.invokeAll(runs)) {
        run.get();
      }
    } finally {
      threads.shutdownNow();
    }
  }

  /** The life of one folder. */
  private final class Run implements Callable<Void> {
    private final long seed;
    private final String[] options;

    /** Versions that a writer has begun to put, by key; several are in flight at a time. */
    private final Map<Integer, Integer> begun = new ConcurrentHashMap<>();

    /** Versions that were put. */
    private final Map<Integer, Integer> done = new ConcurrentHashMap<>();

    Run(long seed) {
      this.seed = seed;
      options = new String[] {"store=disk", "argument=" + folder.resolve(Long.toString(seed))};
    }

    @Override
    public Void call() throws Exception {
      Random random = new Random(seed);
      int kills = 0;
      while (kills < KILLS) {
        try (StoreProcess writer = StoreProcess.start(List.of(), this::note, options)) {
          writer.await("open");
          check(writer, kills);
          int next = 1 + begun.values().stream().mapToInt(Integer::intValue).max().orElse(0);
          writer.say("write " + KEYS + " " + next + " " + BYTES);
          for (int puts = random.nextInt(60); puts > 0; puts--) {
            writer.await("put ");
          }
          spin(random.nextInt(2_000_000));
          writer.kill();
          kills++;
        }
      }
      try (StoreProcess reader = StoreProcess.start(options)) {
        reader.await("open");
        check(reader, kills);
        assertTrue(done.size() > KEYS / 2, "writers wrote");
      }
      return null;
    }

    private void note(String line) {
      String[] words = line.split(" ");
      switch (words[0]) {
        case "putting" -> begun.put(Integer.valueOf(words[1]), Integer.valueOf(words[2]));
        case "put" -> done.merge(Integer.valueOf(words[1]), Integer.valueOf(words[2]), Math::max);
        default -> {}
      }
    }

    private void check(StoreProcess reader, int kills) throws InterruptedException {
      Map<Integer, Integer> found = new HashMap<>();
      reader.say("list");
      for (String line = reader.await(""); !line.equals("listed"); line = reader.await("")) {
        if (line.startsWith("have ")) {
          String[] words = line.split(" ");
          found.put(Integer.valueOf(words[1]), Integer.valueOf(words[2]));
        }
      }
      done.forEach(
          (key, version) -> {
            int has = found.getOrDefault(key, -2);
            assertTrue(
                version <= has && has <= begun.get(key),
                () -> describe(kills) + "key %d has %d, after %d".formatted(key, has, version));
          });
      found.forEach(
          (key, version) ->
              assertTrue(version >= 0, () -> describe(kills) + "key " + key + " is not whole"));
    }

    private String describe(int kills) {
      return "seed %d, after %d kills: ".formatted(seed, kills);
    }

    private static void spin(long nanos) {
      long until = System.nanoTime() + nanos;
      while (System.nanoTime() < until) {
        Thread.onSpinWait();
      }
    }
  }
}
