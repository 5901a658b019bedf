package kv4j.model.format;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.math.BigInteger;
import java.nio.FloatBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class GgufWriterTest {
  @TempDir private Path folder;

  @Test
  void writesEveryByteAsTheFormatSays() throws IOException {
    Map<String, Object> metadata = new LinkedHashMap<>();
    metadata.put("general.architecture", "llama");
    metadata.put("general.file_type", 7L);
    metadata.put("layers", 2);
    metadata.put("epsilon", 1e-5f);
    metadata.put("begin", true);
    metadata.put("types", List.of(1L, 6L));
    metadata.put("scores", List.of(-1f, 0f));
    metadata.put("tokens", List.of("a", "\u2581"));
    MemoryTensors source =
        new MemoryTensors(metadata)
            .with("m", new float[] {1, 2, 3, 4, 5, 6}, 3, 2)
            .with("v", new float[] {7}, 1);
    Bytes expected = new Bytes().ascii("GGUF").i32(3).i64(2, 9);
    expected.string("general.architecture").i32(8).string("llama");
    expected.string("general.file_type").i32(4, 0);
    expected.string("layers").i32(4, 2);
    expected.string("epsilon").i32(6).f32(1e-5f);
    expected.string("begin").i32(7).raw((byte) 1);
    expected.string("types").i32(9, 5).i64(2).i32(1, 6);
    expected.string("scores").i32(9, 6).i64(2).f32(-1, 0);
    expected.string("tokens").i32(9, 8).i64(2).string("a").string("\u2581");
    expected.string("general.alignment").i32(4, 32);
    expected.string("m").i32(2).i64(2, 3).i32(0).i64(0);
    expected.string("v").i32(1).i64(1).i32(0).i64(32);
    expected.pad(32).f32(1, 2, 3, 4, 5, 6).pad(32).f32(7).pad(32);
    Path file = folder.resolve("out.gguf");
    GgufWriter.write(source, file);
    assertArrayEquals(expected.array(), Files.readAllBytes(file));
    assertOnlyFile(file);
  }

  @Test
  void comesBackThroughTheReader() throws IOException {
    for (int seed = 0; seed < 20; seed++) {
      Random random = new Random(seed);
      Map<String, Object> metadata = new LinkedHashMap<>();
      metadata.put("big", new BigInteger("18446744073709551615"));
      metadata.put("long", 1L << 40);
      metadata.put("negative", -5L);
      metadata.put("very negative", Long.MIN_VALUE);
      metadata.put("double", random.nextGaussian());
      metadata.put("longs", List.of(1L << 40, -1L));
      metadata.put("flags", List.of(true, false));
      metadata.put("empty", List.of());
      metadata.put("lists", List.of(List.of("x".repeat(random.nextInt(3_000_000))), List.of(1L)));
      metadata.put("general.alignment", 32L);
      metadata.put("general.file_type", 0L);
      MemoryTensors source = new MemoryTensors(metadata);
      source.with("wide", bits(random, 300_000), 1, 300_000);
      source.with("long", bits(random, 500_001), 500_001, 1);
      for (int i = 0; i < 5; i++) {
        int rows = 1 + random.nextInt(40);
        int columns = 1 + random.nextInt(40);
        source.with("t" + i, bits(random, rows * columns), rows, columns);
      }
      Path file = folder.resolve("out.gguf");
      GgufWriter.write(source, file);
      try (TensorSource read = ModelFiles.open(file)) {
        assertEquals(metadata, read.metadata(), "seed " + seed);
        assertEquals(List.copyOf(source.tensorNames()), List.copyOf(read.tensorNames()));
        for (String name : source.tensorNames()) {
          read.require(name, source.shape(name));
          assertArrayEquals(
              rawBits(MemoryTensors.floats(source, name)),
              rawBits(MemoryTensors.floats(read, name)),
              "seed " + seed);
        }
      }
    }
  }

  @Test
  void leavesWhatWasThereIfItCannotWriteAll() throws IOException {
    Path file = Files.writeString(folder.resolve("out.gguf"), "before");
    MemoryTensors impossible = new MemoryTensors(Map.of("key", List.of(1L, "a")));
    IllegalArgumentException wrong =
        assertThrows(IllegalArgumentException.class, () -> GgufWriter.write(impossible, file));
    assertTrue(wrong.getMessage().contains("metadata key"), wrong.getMessage());
    Path cut = folder.resolve("cut.gguf");
    GgufWriter.write(new MemoryTensors(Map.of()).with("t", new float[100], 10, 10), cut);
    try (TensorSource source = ModelFiles.open(cut)) {
      Files.write(cut, Arrays.copyOf(Files.readAllBytes(cut), 300));
      assertThrows(ModelFileException.class, () -> GgufWriter.write(source, file));
    }
    Files.delete(cut);
    assertEquals("before", Files.readString(file));
    assertOnlyFile(file);
  }

  @Test
  void refusesAPlaceItCannotWriteTo() {
    MemoryTensors source = new MemoryTensors(Map.of());
    Path inNoFolder = folder.resolve("none").resolve("out.gguf");
    for (Path file : List.of(inNoFolder, folder)) {
      IllegalArgumentException wrong =
          assertThrows(IllegalArgumentException.class, () -> GgufWriter.write(source, file));
      assertTrue(wrong.getMessage().startsWith("cannot write " + file + ": "), wrong.getMessage());
    }
  }

  private void assertOnlyFile(Path file) throws IOException {
    try (Stream<Path> files = Files.list(folder)) {
      assertEquals(List.of(file), files.toList());
    }
  }

  /** Any floats, also those that are not a number. */
  private static float[] bits(Random random, int count) {
    FloatBuffer floats = FloatBuffer.allocate(count);
    while (floats.hasRemaining()) {
      floats.put(Float.intBitsToFloat(random.nextInt()));
    }
    return floats.array();
  }

  private static int[] rawBits(float[] floats) {
    int[] bits = new int[floats.length];
    Arrays.setAll(bits, i -> Float.floatToRawIntBits(floats[i]));
    return bits;
  }
}
