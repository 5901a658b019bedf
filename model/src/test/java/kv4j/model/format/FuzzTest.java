package kv4j.model.format;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.management.ThreadMXBean;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.FloatBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.function.BiFunction;
import java.util.stream.Collectors;
import kv4j.model.format.block.TensorType;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * Opens mutated files and reads all that they then have: every one ends in the one exception, with
 * its one sentence, or loads, within little memory.
 */
@Timeout(600)
class FuzzTest {
  private static final long MOST_ALLOCATED = 2 << 20;
  private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();

  private static final Set<String> READABLE =
      Arrays.stream(TensorType.values()).map(TensorType::name).collect(Collectors.toSet());

  @TempDir private Path folder;
  private int loaded;
  private int refused;

  @BeforeEach
  void writeConfig() throws IOException {
    Files.write(folder.resolve("config.json"), FuzzFiles.config());
  }

  @Test
  void gguf() throws IOException {
    fuzz("model.gguf", FuzzFiles.gguf(), 9000, Mutations::bytes);
    assertBothHappened();
  }

  @Test
  void checkpoint() throws IOException {
    fuzz("model.bin", FuzzFiles.checkpoint(), 4000, Mutations::bytes);
    assertBothHappened();
  }

  @Test
  void safetensors() throws IOException {
    byte[] header = FuzzFiles.safetensorsHeader("a", "b", "c");
    byte[] data = FuzzFiles.safetensorsData();
    byte[] whole = FuzzFiles.safetensors(header, data);
    fuzz("model.safetensors", whole, 1500, Mutations::bytes);
    fuzz(
        "model.safetensors",
        header,
        3500,
        (json, random) -> FuzzFiles.safetensors(Mutations.json(json, random), data));
    assertBothHappened();
    Files.write(folder.resolve("model.safetensors"), whole);
    fuzz("config.json", FuzzFiles.config(), 1000, Mutations::json);
  }

  @Test
  void shards() throws IOException {
    byte[] header = FuzzFiles.safetensorsHeader("a", "b", "c");
    byte[] data = FuzzFiles.safetensorsData();
    Files.write(folder.resolve("one.safetensors"), FuzzFiles.safetensors(header, data));
    byte[] other = FuzzFiles.safetensorsHeader("d", "e", "f");
    Files.write(folder.resolve("two.safetensors"), FuzzFiles.safetensors(other, data));
    String index = "model.safetensors.index.json";
    fuzz(index, FuzzFiles.index(), 2000, Mutations::json);
    assertBothHappened();
    Files.write(folder.resolve(index), FuzzFiles.index());
    fuzz(
        "one.safetensors",
        header,
        1000,
        (json, random) -> FuzzFiles.safetensors(Mutations.json(json, random), data));
  }

  private void assertBothHappened() {
    int few = (loaded + refused) / 50;
    assertTrue(loaded > few && refused > few, loaded + " loaded, " + refused + " refused");
  }

  private void fuzz(
      String name, byte[] sound, int rounds, BiFunction<byte[], Random, byte[]> mutate)
      throws IOException {
    Path file = folder.resolve(name);
    // What belongs to a folder is opened by it.
    Path path = name.startsWith("model.") && !name.endsWith("json") ? file : folder;
    Files.write(file, mutate.apply(sound, new Random(0)));
    open(path, name + ", warming up");
    for (int seed = 0; seed < rounds; seed++) {
      Files.write(file, mutate.apply(sound, new Random(seed)));
      long before = THREADS.getCurrentThreadAllocatedBytes();
      open(path, name + ", seed " + seed);
      long allocated = THREADS.getCurrentThreadAllocatedBytes() - before;
      assertTrue(allocated < MOST_ALLOCATED, name + ", seed " + seed + ": " + allocated);
    }
  }

  private void open(Path path, String what) {
    try (TensorSource source = ModelFiles.open(path)) {
      for (Map.Entry<String, Object> pair : source.metadata().entrySet()) {
        assertTrue(pair.toString().length() > 0, what);
      }
      for (String name : source.tensorNames()) {
        readAll(source, name, what);
      }
      loaded++;
    } catch (ModelFileException e) {
      assertOneSentence(e, what);
      refused++;
    } catch (RuntimeException | StackOverflowError | OutOfMemoryError e) {
      throw new AssertionError(what, e);
    }
  }

  private void readAll(TensorSource source, String name, String what) {
    boolean readable = READABLE.contains(source.dtype(name));
    try {
      if (readable) {
        FloatBuffer out = FloatBuffer.allocate(Math.toIntExact(source.elements(name)));
        source.read(name, out);
        assertEquals(0, out.remaining(), what);
        FloatBuffer values = FloatBuffer.allocate(Math.toIntExact(source.elements(name)));
        source.readRows(name, 0, values);
        assertEquals(0, values.remaining(), what);
      } else {
        source.readRows(name, 0, FloatBuffer.allocate(1));
        throw new AssertionError(what + ": read " + source.dtype(name));
      }
    } catch (ModelFileException e) {
      assertTrue(!readable, what + ": " + e.getMessage());
      assertOneSentence(e, what);
    }
  }

  private void assertOneSentence(ModelFileException e, String what) {
    String message = e.getMessage();
    assertTrue(message.startsWith(folder.toString()), what + ": " + message);
    assertTrue(message.length() < folder.toString().length() + 500, what + ": " + message);
    assertTrue(message.chars().noneMatch(Character::isISOControl), what + ": " + message);
  }
}
