package kv4j.inference;

import static kv4j.inference.EngineTestKit.config;
import static kv4j.inference.EngineTestKit.newSequence;
import static kv4j.inference.EngineTestKit.randomTokens;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.management.ThreadMXBean;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.charset.Charset;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import kv4j.cache.KvCache;
import kv4j.cache.KvSequence;
import kv4j.cache.basic.RequestCacheProvider;
import kv4j.cache.block.KvDtype;
import kv4j.model.DemoModels;
import kv4j.model.MemoryFormula;
import kv4j.model.Model;
import kv4j.model.ModelPreset;
import kv4j.model.TransformerConfig;
import kv4j.model.TransformerConfig.RopePairing;
import org.bytedeco.javacpp.Pointer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What requests leave behind, in and outside the Java heap. */
class MemoryTest {
  private static final TransformerConfig SMALL =
      new TransformerConfig(1, 16, 2, 1, 8, 24, 40, 64, 1e-5f, 10_000, RopePairing.SPLIT, true);
  private static final int FEW = 100;
  private static final int MANY = 1_000;

  /** Of the process in so many requests; 16 kB a request. */
  private static final long MOST_GROWTH = 16L << 20;

  private static final long MOST_HEAP_BYTES_A_TOKEN = 64L << 10;
  private static final int WINDOW = 48;
  private static final int MOST_WINDOWS = 20;

  /** A buffer that a session, a plan or a cache held on to would never be garbage. */
  @ParameterizedTest
  @CsvSource({"true, " + FEW + ", " + MANY, "false, 10, 100"})
  void afterManyRequestsNoMoreIsHeldThanAfterFew(boolean fuse, int few, int many) {
    try (Requests requests = new Requests(fuse)) {
      requests.run(few);
      long arena = requests.engine.arenaBytes();
      long pointers = NativeMemory.pointersHeld(0);
      long bytes = NativeMemory.arrayBytesHeld();
      assertTrue(bytes >= new MemoryFormula(SMALL).constants(), "the constants, not " + bytes);
      requests.run(many - few);
      assertEquals(arena, requests.engine.arenaBytes());
      long pointersNow = NativeMemory.pointersHeld(pointers);
      assertTrue(pointersNow <= pointers, pointersNow + " pointers after " + pointers);
      long bytesNow = NativeMemory.arrayBytesHeld();
      assertTrue(bytesNow <= bytes, bytesNow + " bytes after " + bytes);
    }
  }

  /** A model, a cache, and requests of up to 42 tokens. */
  private static final class Requests implements AutoCloseable {
    private final SplittableRandom random = new SplittableRandom(5);
    private final InferenceEngine engine;
    private final KvCache cache;

    Requests(boolean fuse) {
      Model model = DemoModels.create("small", SMALL, 8);
      engine = InferenceEngine.create(model, new EngineOptions(1, 16, fuse));
      cache = new RequestCacheProvider().create(config(engine, 16, KvDtype.F32));
    }

    void run(int requests) {
      Generator generator = new Generator(engine, cache);
      for (int i = 0; i < requests; i++) {
        int[] prompt = randomTokens(random, 40 - i % 20, engine.model());
        generator.generate(GenerationRequest.greedy(prompt, 2));
      }
    }

    @Override
    public void close() {
      cache.close();
      engine.close();
    }
  }

  /**
   * What neither JavaCPP nor ND4J counts, such as buffers of BLAS. In a process of its own, whose
   * heap is all there from the start: there it takes about 3 MB more, of compiled code above all.
   */
  @Test
  void theProcessDoesNotGrow() throws Exception {
    String printed = runElsewhere("-Xms96m", "-Xmx96m", "-XX:+AlwaysPreTouch");
    String[] numbers = printed.split(" ");
    long growth = Long.parseLong(numbers[1]) - Long.parseLong(numbers[0]);
    assertTrue(growth < MOST_GROWTH, growth + " bytes more in " + (MANY - FEW) + " requests");
  }

  /** Runs requests in this process and prints the bytes it takes after few and after many. */
  public static void main(String[] args) {
    try (Requests requests = new Requests(true)) {
      requests.run(FEW);
      long few = Pointer.physicalBytes();
      requests.run(MANY - FEW);
      System.out.println(few + " " + Pointer.physicalBytes());
    }
  }

  /** Runs {@link #main} with more options for the JVM and returns the last line printed. */
  private static String runElsewhere(String... options) throws IOException, InterruptedException {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    for (String option : ManagementFactory.getRuntimeMXBean().getInputArguments()) {
      if (!option.startsWith("-agent") && !option.startsWith("-javaagent")) {
        command.add(option);
      }
    }
    command.addAll(List.of(options));
    command.addAll(List.of("-cp", System.getProperty("java.class.path")));
    command.add(MemoryTest.class.getName());
    Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
    try {
      String output = new String(process.getInputStream().readAllBytes(), Charset.defaultCharset());
      assertEquals(0, process.waitFor(), output);
      return output.strip().lines().reduce((first, last) -> last).orElseThrow();
    } finally {
      process.destroy();
    }
  }

  /**
   * On all threads together, blocks of the cache included. Kernels allocate until they are
   * compiled, so the least of several windows counts; each is as long as some blocks.
   */
  @Test
  void decodeAllocatesLittleOnTheHeap() {
    Model model = DemoModels.create(ModelPreset.S, 3);
    int[] tokens = randomTokens(new SplittableRandom(3), WINDOW * MOST_WINDOWS, model);
    for (int threads = 1; threads <= 2; threads++) {
      long least = Long.MAX_VALUE;
      try (InferenceEngine engine = InferenceEngine.create(model, new EngineOptions(threads, 64));
          KvSequence sequence = newSequence(engine)) {
        long cache = engine.layout(16, KvDtype.F32).bytesPerToken();
        for (int w = 0; w < MOST_WINDOWS && least >= MOST_HEAP_BYTES_A_TOKEN; w++) {
          long before = allocatedOnTheHeap();
          for (int i = w * WINDOW; i < (w + 1) * WINDOW; i++) {
            engine.forward(sequence, tokens, i, i + 1);
          }
          least = Math.min(least, (allocatedOnTheHeap() - before) / WINDOW);
        }
        assertTrue(least > cache, least + " bytes a token, less than the cache's " + cache);
      }
      assertTrue(least < MOST_HEAP_BYTES_A_TOKEN, least + " bytes a token, threads: " + threads);
    }
  }

  /** By all threads that are alive. */
  private static long allocatedOnTheHeap() {
    ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    long sum = 0;
    for (long bytes : threads.getThreadAllocatedBytes(threads.getAllThreadIds())) {
      sum += Math.max(0, bytes);
    }
    return sum;
  }
}
