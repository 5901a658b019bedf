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
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class GgufReaderTest {
  @TempDir private Path folder;

  @Test
  void readsMetadataOfEveryType() throws IOException {
    Bytes file = new Bytes().ascii("GGUF").i32(3).i64(0, 14);
    file.string("u8").i32(0).raw((byte) 200);
    file.string("i8").i32(1).raw((byte) 200);
    file.string("u16").i32(2).i16(60000);
    file.string("i16").i32(3).i16(60000);
    file.string("u32").i32(4).i32(-2);
    file.string("i32").i32(5).i32(-2);
    file.string("f32").i32(6).f32(1e-5f);
    file.string("bool").i32(7).raw((byte) 1);
    file.string("string").i32(8).string("\u2581h\u00e9\n");
    file.string("u64").i32(10).i64(-1);
    file.string("i64").i32(11).i64(-1);
    file.string("f64").i32(12).f64(0.1);
    file.string("words").i32(9, 8).i64(2).string("a").string("");
    file.string("nested").i32(9, 9).i64(2);
    file.i32(5).i64(3).i32(7, -8, 9).i32(0).i64(2).raw((byte) 1, (byte) 255);
    try (TensorSource source = open(file)) {
      assertEquals("GGUF", source.format());
      assertEquals(
          Map.ofEntries(
              Map.entry("u8", 200L),
              Map.entry("i8", -56L),
              Map.entry("u16", 60000L),
              Map.entry("i16", -5536L),
              Map.entry("u32", 4294967294L),
              Map.entry("i32", -2L),
              Map.entry("f32", 1e-5f),
              Map.entry("bool", true),
              Map.entry("string", "\u2581h\u00e9\n"),
              Map.entry("u64", new BigInteger("18446744073709551615")),
              Map.entry("i64", -1L),
              Map.entry("f64", 0.1),
              Map.entry("words", List.of("a", "")),
              Map.entry("nested", List.of(List.of(7L, -8L, 9L), List.of(1L, 255L)))),
          source.metadata());
    }
  }

  @Test
  void keysLongerThanAnyBufferAndThoseAfterThem() throws IOException {
    String text = "long ".repeat(100_000);
    Bytes file = new Bytes().ascii("GGUF").i32(2).i64(0, 3);
    file.string("a").i32(8).string("x".repeat(65_490)).string("b").i32(8).string(text);
    file.string("c").i32(4).i32(5);
    try (TensorSource source = open(file)) {
      assertEquals(text, source.metadata().get("b"));
      assertEquals(5L, source.metadata().get("c"));
    }
  }

  @Test
  void shapesAreOutermostFirstAndDataAligned() throws IOException {
    Bytes file = new Bytes().ascii("GGUF").i32(3).i64(2, 1);
    file.string("general.alignment").i32(4).i32(64);
    file.string("second").i32(1).i64(2).i32(0).i64(64);
    file.string("first").i32(2).i64(3, 2).i32(0).i64(0);
    file.pad(64).f32(1, 2, 3, 4, 5, 6).pad(64).f32(7, 8);
    try (TensorSource source = open(file)) {
      assertEquals(List.of("second", "first"), List.copyOf(source.tensorNames()));
      assertArrayEquals(new long[] {2, 3}, source.shape("first"));
      assertEquals("F32", source.dtype("first"));
      assertArrayEquals(new float[] {1, 2, 3, 4, 5, 6}, MemoryTensors.floats(source, "first"));
      assertArrayEquals(new float[] {7, 8}, MemoryTensors.floats(source, "second"));
      FloatBuffer row = FloatBuffer.allocate(3);
      source.readRows("first", 1, row);
      assertArrayEquals(new float[] {4, 5, 6}, row.array());
    }
  }

  @Test
  void refusesRowsThatAreNotThere() throws IOException {
    try (TensorSource source = open(oneTensor(2, new long[] {3, 2}, 0, 0, 24))) {
      for (long first : new long[] {-1, 2, Long.MAX_VALUE}) {
        assertThrows(
            IllegalArgumentException.class,
            () -> source.readRows("t", first, FloatBuffer.allocate(3)));
      }
      assertThrows(
          IllegalArgumentException.class, () -> source.readRows("t", 0, FloatBuffer.allocate(4)));
      assertThrows(IllegalArgumentException.class, () -> source.read("t", FloatBuffer.allocate(3)));
      assertThrows(ModelFileException.class, () -> source.shape("absent"));
    }
  }

  @Test
  void bytesInMemoryAreAsGoodAsAFile() throws IOException {
    byte[] whole = oneTensor(2, new long[] {3, 2}, 0, 0, 24).array();
    for (int length = 0; length <= whole.length; length++) {
      byte[] content = Arrays.copyOf(whole, length);
      Path file = Files.write(folder.resolve("model.gguf"), content);
      Supplier<TensorSource> inMemory = () -> ModelFiles.openGguf(file, content);
      if (length < 4) {
        assertEquals(file + ": is not GGUF", failure(inMemory::get));
      } else if (length < whole.length) {
        assertEquals(failure(() -> ModelFiles.open(file)), failure(inMemory::get));
      } else {
        try (TensorSource stored = ModelFiles.open(file);
            TensorSource source = inMemory.get()) {
          assertEquals(stored.metadata(), source.metadata());
          assertArrayEquals(MemoryTensors.floats(stored, "t"), MemoryTensors.floats(source, "t"));
        }
      }
    }
  }

  @Test
  void requireNamesTheTensorAndBothShapes() throws IOException {
    try (TensorSource source = open(oneTensor(2, new long[] {3, 2}, 0, 0, 24))) {
      source.require("t", 2, 3);
      String wrong = failure(() -> source.require("t", 3, 2));
      assertTrue(wrong.contains("tensor t") && wrong.contains("[3, 2], not [2, 3]"), wrong);
      String missing = failure(() -> source.require("u", 5));
      assertTrue(missing.contains("tensor u") && missing.contains("[5]"), missing);
    }
  }

  @Test
  void saysWhatIsWrong() throws IOException {
    refused("tensor t has 5 dimensions", oneTensor(5, new long[] {1, 1, 1, 1, 1}, 0, 0, 4));
    refused("tensor t has a dimension of 0", oneTensor(2, new long[] {4, 0}, 0, 0, 64));
    refused("more elements than fit", oneTensor(2, new long[] {1L << 32, 1L << 32}, 0, 0, 64));
    refused("more elements than fit", oneTensor(1, new long[] {Long.MAX_VALUE}, 0, 0, 64));
    refused("of 64 bytes at offset", oneTensor(1, new long[] {16}, 0, 0, 60));
    refused("is not within the file", oneTensor(1, new long[] {4}, 0, 1L << 63, 64));
    refused("not a multiple of 32", oneTensor(1, new long[] {4}, 0, 16, 64));
    refused("Q8_0 is in 32s", oneTensor(1, new long[] {33}, 8, 0, 64));
    refused(
        "tensor t has the unsupported type number 16", oneTensor(1, new long[] {256}, 16, 0, 9));
    refused("number of tensors", new Bytes().ascii("GGUF").i32(3).i64(Long.MIN_VALUE, 0));
    refused("number of metadata", new Bytes().ascii("GGUF").i32(3).i64(0, Long.MAX_VALUE));
    refused("version 1", new Bytes().ascii("GGUF").i32(1).i64(0, 0));
    refused("big-endian", new Bytes().ascii("GGUF").i32(3 << 24).i64(0, 0));
    refused("is not all in", new Bytes().ascii("GGUF"));
    refused("length of metadata key 0", pairs(1).i64(-1, 0));
    refused("unknown type 13", pairs(1).string("k").i32(13).i64(0));
    refused("length of metadata value of k", pairs(1).string("k").i32(9, 11).i64(1L << 61));
    refused("power of two", pairs(1).string("general.alignment").i32(4).i32(0));
    refused("power of two", pairs(1).string("general.alignment").i32(4).i32(48));
    refused("power of two", pairs(1).string("general.alignment").i32(8).string("32"));
    refused("parts", pairs(1).string("split.count").i32(2).i16(3));
    refused("k is there twice", pairs(2).string("k").i32(4, 1).string("k").i32(4, 1));
    Bytes deep = pairs(1).string("k").i32(9);
    for (int i = 0; i < 10_000; i++) {
      deep.i32(9).i64(1);
    }
    refused("nested more than", deep);
  }

  @Test
  void refusesTensorsTwiceOrOverlapping() throws IOException {
    for (String second : List.of("t", "u")) {
      Bytes file = new Bytes().ascii("GGUF").i32(3).i64(2, 0);
      file.string("t").i32(1).i64(9).i32(0).i64(0);
      file.string(second).i32(1).i64(4).i32(0).i64(32);
      file.pad(32).raw(new byte[64]);
      refused(second.equals("t") ? "t is there twice" : "t and u overlap", file);
    }
  }

  private static Bytes pairs(int count) {
    return new Bytes().ascii("GGUF").i32(3).i64(0, count);
  }

  private static Bytes oneTensor(int rank, long[] innermostFirst, int type, long at, int bytes) {
    Bytes file = new Bytes().ascii("GGUF").i32(3).i64(1, 0);
    file.string("t").i32(rank).i64(innermostFirst).i32(type).i64(at);
    return file.pad(32).raw(new byte[bytes]);
  }

  private TensorSource open(Bytes bytes) throws IOException {
    return ModelFiles.open(Files.write(folder.resolve("model"), bytes.array()));
  }

  private void refused(String expected, Bytes bytes) throws IOException {
    Path file = Files.write(folder.resolve("model"), bytes.array());
    String message = failure(() -> ModelFiles.open(file).close());
    assertTrue(message.contains(expected), message);
    assertTrue(message.startsWith(file + ": "), message);
  }

  private static String failure(Runnable attempt) {
    return assertThrows(ModelFileException.class, attempt::run).getMessage();
  }
}
