package kv4j.cache.tier;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import kv4j.cache.block.KvBlock;
import kv4j.cache.block.KvDtype;
import kv4j.cache.block.KvLayout;
import kv4j.cache.index.Chain;
import kv4j.cache.index.Keyspace;
import kv4j.cache.store.BlockStore;
import kv4j.cache.store.BlockStores;
import kv4j.cache.store.StoreConfig;
import kv4j.cache.store.StoreOptions;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;
import org.openjdk.jmh.runner.Runner;
import org.openjdk.jmh.runner.RunnerException;
import org.openjdk.jmh.runner.options.OptionsBuilder;

/**
 * What it takes to read a prefix from a folder, whose files are in the page cache, up to blocks
 * that attention can read. {@link #main} first says how fast one chain is that is read once, by
 * code that has not run before.
 */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MILLISECONDS)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(1)
public class StoreReadBenchmark {
  private static final Keyspace SPACE = new Keyspace("", "model", "");
  private static final int BLOCK = 16;
  private static final int CHAINS = 8; // more than the store keeps in memory
  private static final Duration LONG = Duration.ofMinutes(1);

  @Param({"992", "4000"})
  int tokens;

  @Param({"f32", "f16"})
  String dtype;

  private KvLayout layout;
  private Path folder;
  private BlockStore store;
  private StoreTier tier;
  private int next;

  @Setup
  public void write() throws IOException {
    layout = new KvLayout(32, 4, 32, BLOCK, KvDtype.parse(dtype));
    folder = Files.createTempDirectory("kv4j-read");
    store = open();
    tier = new StoreTier(config(), layout);
    for (int chain = 0; chain < CHAINS; chain++) {
      List<KvBlock> blocks = new ArrayList<>();
      for (int i = 0; i < tokens / BLOCK; i++) {
        blocks.add(block(chain * 1000 + i));
      }
      tier.offer(new Chain<>(SPACE, prompt(chain), 0, blocks));
      tier.flush(LONG);
    }
    tier.close();
    store.close();
    store = open();
    tier = new StoreTier(config(), layout);
  }

  private BlockStore open() {
    BlockStore opened =
        BlockStores.open(
            "disk", StoreOptions.of(folder.toString()), StoreReadBenchmark.class.getClassLoader());
    opened.ready().join();
    return opened;
  }

  private StoreConfig config() {
    return new StoreConfig(store, StoreConfig.When.COMMIT, BLOCK, layout.dtype(), LONG);
  }

  private int[] prompt(int chain) {
    return IntStream.range(0, tokens).map(i -> chain * tokens + i).toArray();
  }

  private KvBlock block(int number) {
    KvBlock block = new KvBlock(layout);
    float[] rows = new float[BLOCK * layout.width()];
    for (int i = 0; i < rows.length; i++) {
      rows[i] = (number * 31 + i) % 1009;
    }
    for (int layer = 0; layer < layout.layers(); layer++) {
      block.write(layer, 0, BLOCK, rows, rows, 0);
    }
    return block;
  }

  /** Reads the next of several chains. */
  @Benchmark
  public int read() {
    int blocks = tier.fetch(SPACE, prompt(next++ % CHAINS), 0).join().blocks().size();
    if (blocks != tokens / BLOCK) {
      throw new IllegalStateException(blocks + " blocks");
    }
    return blocks;
  }

  @TearDown
  public void delete() throws IOException {
    tier.close();
    store.close();
    try (Stream<Path> files = Files.walk(folder)) {
      for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
        Files.delete(file);
      }
    }
  }

  public static void main(String[] args) throws RunnerException, IOException {
    StoreReadBenchmark once = new StoreReadBenchmark();
    once.tokens = 992;
    once.dtype = "f32";
    once.write();
    for (int i = 0; i < 5; i++) {
      long begin = System.nanoTime();
      once.read();
      System.out.printf("chain %d: %.1f ms%n", i + 1, (System.nanoTime() - begin) / 1e6);
    }
    once.delete();
    new Runner(new OptionsBuilder().include(StoreReadBenchmark.class.getSimpleName()).build())
        .run();
  }
}
