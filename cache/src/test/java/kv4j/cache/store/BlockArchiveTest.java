package kv4j.cache.store;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Random;
import kv4j.cache.block.BlockKey;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class BlockArchiveTest {
  private static final int FRAME = 4 + BlockKey.BYTES;

  @TempDir private Path folder;

  private static Map<BlockKey, byte[]> values(int... lengths) {
    Random random = new Random(5);
    Map<BlockKey, byte[]> values = new LinkedHashMap<>();
    for (int length : lengths) {
      byte[] key = new byte[BlockKey.BYTES];
      byte[] value = new byte[length];
      random.nextBytes(key);
      random.nextBytes(value);
      values.put(BlockKey.of(key), value);
    }
    return values;
  }

  private static byte[] bytes(Map<BlockKey, byte[]> values) throws IOException {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    assertEquals(values.size(), BlockArchive.write(out, values::forEach));
    return out.toByteArray();
  }

  private Path file(byte[] bytes) throws IOException {
    return Files.write(folder.resolve("blocks.kvc"), bytes);
  }

  private String refusal(byte[] bytes) throws IOException {
    Path file = file(bytes);
    String message =
        assertThrows(IllegalArgumentException.class, () -> BlockArchive.check(file)).getMessage();
    assertTrue(message.startsWith(file + " "), message);
    return message.substring(file.toString().length() + 1);
  }

  @Test
  void whatIsReadIsWhatWasWrittenInItsOrder() throws IOException {
    for (int[] lengths : new int[][] {{}, {0}, {1, 0, 17}, {200_000, 5, 70_000}}) {
      Map<BlockKey, byte[]> values = values(lengths);
      Map<BlockKey, byte[]> read = new LinkedHashMap<>();
      Path file = file(bytes(values));
      assertEquals(lengths.length, BlockArchive.check(file));
      assertEquals(lengths.length, BlockArchive.read(file, read::put));
      assertEquals(values.keySet().stream().toList(), read.keySet().stream().toList());
      values.forEach((key, value) -> assertArrayEquals(value, read.get(key)));
      assertEquals(
          8 + lengths.length * FRAME + Arrays.stream(lengths).sum() + 16, Files.size(file));
    }
  }

  @Test
  void whatIsCutAnywhereIsRefused() throws IOException {
    byte[] whole = bytes(values(20, 0, 33));
    for (int length = 0; length < whole.length; length++) {
      String problem = refusal(Arrays.copyOf(whole, length));
      String expected = length < 4 ? "is no file of cached blocks" : "is cut short";
      assertTrue(problem.startsWith(expected), length + ": " + problem);
    }
    assertEquals("goes on after its end", refusal(Arrays.copyOf(whole, whole.length + 1)));
  }

  @Test
  void everyBitCounts() throws IOException {
    byte[] whole = bytes(values(20, 0, 33));
    for (int bit = 0; bit < 8 * whole.length; bit++) {
      byte[] damaged = whole.clone();
      damaged[bit / 8] ^= (byte) (1 << bit % 8);
      String problem = refusal(damaged);
      assertTrue(problem.matches("is .*|has version .*, not 1|goes on .*"), problem);
    }
  }

  @Test
  void whatGoesWrongInWritingIsTold() {
    OutputStream full =
        new OutputStream() {
          @Override
          public void write(int b) throws IOException {
            throw new IOException("no space left");
          }
        };
    Map<BlockKey, byte[]> values = values(200_000);
    IOException failure =
        assertThrows(IOException.class, () -> BlockArchive.write(full, values::forEach));
    assertEquals("no space left", failure.getMessage());
    assertThrows(
        IllegalStateException.class,
        () ->
            BlockArchive.write(
                OutputStream.nullOutputStream(),
                visitor -> {
                  throw new IllegalStateException("the store is closed");
                }));
  }
}
