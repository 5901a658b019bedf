package kv4j.model.family;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.function.Supplier;
import java.util.stream.Stream;
import kv4j.model.ByteTokenizer;
import kv4j.model.Model;
import kv4j.model.TransformerConfig;
import kv4j.model.TransformerConfig.RopePairing;
import org.bytedeco.javacpp.BytePointer;
import org.nd4j.autodiff.samediff.VariableType;
import org.nd4j.linalg.factory.Nd4j;

/**
 * Prints how fast a generated F32 model of 500 MB is loaded, until it is ready to run, against
 * reading its file once in pieces of a megabyte, and how much memory that takes at most. To be run
 * by hand, on an idle machine: arguments are a folder with room for the file, and optionally a
 * number of rounds. The figures of memory are Linux's.
 */
final class LoadSpeed {
  private static final TransformerConfig CONFIG =
      new TransformerConfig(
          6, 1024, 16, 4, 64, 2816, 28_000, 2048, 1e-5f, 1e4f, RopePairing.ADJACENT, false);

  private LoadSpeed() {}

  public static void main(String[] arguments) throws IOException {
    int rounds = arguments.length > 1 ? Integer.parseInt(arguments[1]) : 9;
    Path folder = Files.createTempDirectory(Path.of(arguments[0]), "load-speed");
    try {
      Path gguf = folder.resolve("model.gguf");
      GeneratedTensors.gguf(CONFIG, gguf);
      measureMemory(gguf);
      measure("GGUF", gguf, gguf, rounds);
      Files.delete(gguf);
      GeneratedTensors.safetensors(CONFIG, folder);
      measure("safetensors", folder.resolve("model.safetensors"), folder, rounds);
    } finally {
      try (Stream<Path> files = Files.walk(folder)) {
        files.sorted(Comparator.reverseOrder()).forEach(LoadSpeed::delete);
      }
    }
  }

  private static void measure(String format, Path file, Path model, int rounds) throws IOException {
    double[] read = new double[rounds];
    double[] readAnew = new double[rounds];
    double[] load = new double[rounds];
    for (int round = 0; round < rounds; round++) {
      ByteBuffer buffer = ByteBuffer.allocateDirect(1 << 20);
      long start = System.nanoTime();
      read(file, buffer::clear);
      read[round] = secondsSince(start);
      try (BytePointer memory = new BytePointer(Files.size(file))) {
        start = System.nanoTime();
        read(file, memory::asByteBuffer);
        readAnew[round] = secondsSince(start);
      }
      start = System.nanoTime();
      Model loaded = load(model);
      load[round] = secondsSince(start);
      free(loaded);
      System.out.printf(
          "%s, round %d: read in %.3f s, into new memory in %.3f s, loaded in %.3f s%n",
          format, round + 1, read[round], readAnew[round], load[round]);
    }
    for (double[] times : List.of(read, readAnew, load)) {
      Arrays.sort(times);
    }
    int median = rounds / 2;
    System.out.printf(
        "%s of %d MB, medians of %d: loaded at %.2f of the speed of reading once, %.2f of that into new memory%n",
        format,
        Files.size(file) / 1_000_000,
        rounds,
        read[median] / load[median],
        readAnew[median] / load[median]);
  }

  /** Only the first model is loaded into memory that the process does not have already. */
  private static void measureMemory(Path model) throws IOException {
    Path peak = Path.of("/proc/self/clear_refs");
    if (!Files.isWritable(peak)) {
      return;
    }
    Nd4j.create(1);
    System.gc();
    Files.writeString(peak, "5");
    long before = memory("VmRSS");
    Model loaded = load(model);
    double weights = loaded.config().parameters() * Float.BYTES;
    System.out.printf(
        "loading takes at most %.3f of the weights in memory, and keeps %.3f%n",
        (memory("VmHWM") - before) / weights, (memory("VmRSS") - before) / weights);
    free(loaded);
  }

  private static void free(Model model) {
    model.graph().variables().stream()
        .filter(v -> v.isConstant() || v.getVariableType() == VariableType.VARIABLE)
        .forEach(v -> v.getArr().close());
  }

  private static Model load(Path path) {
    return ModelLoader.load(
        path, LoadOptions.ALL, (source, file) -> new ByteTokenizer(), LoadListener.NONE);
  }

  /**
   * @param room where to read the next piece to; never called when all is read
   */
  private static void read(Path file, Supplier<ByteBuffer> room) throws IOException {
    try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
      for (long left = channel.size(); left > 0; ) {
        left -= channel.read(room.get());
      }
    }
  }

  private static double secondsSince(long start) {
    return (System.nanoTime() - start) / 1e9;
  }

  /** Bytes, as the system counts them. */
  private static long memory(String what) throws IOException {
    try (Stream<String> lines = Files.lines(Path.of("/proc/self/status"))) {
      return lines
          .filter(line -> line.startsWith(what + ":"))
          .mapToLong(line -> Long.parseLong(line.replaceAll("\\D", "")) * 1024)
          .findFirst()
          .orElse(0);
    }
  }

  private static void delete(Path path) {
    try {
      Files.delete(path);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
