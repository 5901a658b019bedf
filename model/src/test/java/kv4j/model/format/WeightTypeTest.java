package kv4j.model.format;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.Stream;
import kv4j.model.format.block.TensorType;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * GGUF files of each type of weights: which tensors have it, and that they are what was written.
 */
class WeightTypeTest {
  @TempDir private Path folder;

  @ParameterizedTest
  @CsvSource({"F32, F32, F32", "F16, F16, F16", "Q8_0, Q8_0, F16", "Q4_0, Q4_0, F16"})
  void matricesHaveItIfTheirRowsAreWholeBlocks(WeightType type, String blocks, String others) {
    MemoryTensors source =
        new MemoryTensors(Map.of("general.quantization_version", 9L))
            .with("token_embd.weight", new float[3 * 64], 3, 64)
            .with("blk.0.ffn_down.weight", new float[4 * 40], 4, 40)
            .with("blk.0.attn_norm.weight", new float[64], 64)
            .with("blk.0.attn_q.bias", new float[64], 64)
            .with("rope_freqs.weight", new float[32], 32)
            .with("position_embd.weight", new float[2 * 64], 2, 64)
            .with("output.weight", new float[3 * 64], 3, 64);
    Path file = folder.resolve("out.gguf");
    GgufWriter.write(source, type, file);
    try (TensorSource read = ModelFiles.open(file)) {
      assertEquals(
          List.of(blocks, others, "F32", "F32", "F32", "F32", blocks),
          read.tensorNames().stream().map(read::dtype).toList());
    }
  }

  /** The numbers are those of ggml's {@code ggml_ftype}. */
  @ParameterizedTest
  @CsvSource({"F32, 0,", "F16, 1,", "Q8_0, 7, 2", "Q4_0, 2, 2"})
  void theFileSaysWhatItIs(WeightType type, long fileType, Long version) {
    Path file = folder.resolve("out.gguf");
    MemoryTensors source = new MemoryTensors(Map.of("general.quantization_version", 9L));
    GgufWriter.write(source.with("m.weight", new float[32], 1, 32), type, file);
    try (TensorSource read = ModelFiles.open(file)) {
      assertEquals(fileType, read.metadata().get("general.file_type"));
      if (version == null) {
        assertNull(read.metadata().get("general.quantization_version"));
      } else {
        assertEquals(version, read.metadata().get("general.quantization_version"));
      }
    }
  }

  @Test
  void everyByteIsWhereTheFormatSays() throws IOException {
    float[] matrix = new float[64];
    matrix[0] = 127;
    matrix[1] = -1;
    matrix[63] = -254;
    MemoryTensors source =
        new MemoryTensors(Map.of()).with("m.weight", matrix, 2, 32).with("v", new float[] {7}, 1);
    Bytes expected = new Bytes().ascii("GGUF").i32(3).i64(2, 3);
    expected.string("general.alignment").i32(4, 32);
    expected.string("general.file_type").i32(4, 7);
    expected.string("general.quantization_version").i32(4, 2);
    expected.string("m.weight").i32(2).i64(32, 2).i32(8).i64(0);
    expected.string("v").i32(1).i64(1).i32(0).i64(96); // behind 68 bytes and zeros
    expected.pad(32);
    byte[] first = new byte[32];
    first[0] = 127;
    first[1] = -1;
    byte[] second = new byte[32];
    second[31] = -127;
    expected.i16(0x3C00).raw(first).i16(0x4000).raw(second); // scales of 1 and 2
    expected.pad(32).f32(7).pad(32);
    Path file = folder.resolve("out.gguf");
    GgufWriter.write(source, WeightType.Q8_0, file);
    assertArrayEquals(expected.array(), Files.readAllBytes(file));
  }

  /** Tensors of many pieces, of one that is longer than a piece, and of a few elements. */
  @ParameterizedTest
  @EnumSource(WeightType.class)
  void whatIsReadIsWhatWasWritten(WeightType type) {
    for (int seed = 0; seed < 3; seed++) {
      Random random = new Random(seed);
      MemoryTensors source = new MemoryTensors(Map.of());
      with(source, "long.weight", random, 40_001, 32);
      with(source, "wide.weight", random, 2, 1 << 19);
      with(source, "odd.weight", random, 5001, 63);
      for (int i = 0; i < 20; i++) {
        with(source, i + ".weight", random, 1 + random.nextInt(40), 32 * (1 + random.nextInt(5)));
      }
      with(source, "one.weight", random, 1, 1);
      Path file = folder.resolve("out.gguf");
      GgufWriter.write(source, type, file);
      try (TensorSource read = ModelFiles.open(file)) {
        for (String name : source.tensorNames()) {
          read.require(name, source.shape(name));
          TensorType stored = TensorType.valueOf(read.dtype(name));
          assertArrayEquals(
              stored(MemoryTensors.floats(source, name), stored),
              MemoryTensors.floats(read, name),
              "seed " + seed + " " + name);
        }
      }
    }
  }

  private static void with(
      MemoryTensors source, String name, Random random, int rows, int columns) {
    float[] values = new float[rows * columns];
    for (int i = 0; i < values.length; i++) {
      values[i] = random.nextFloat() - 0.5f;
    }
    source.with(name, values, rows, columns);
  }

  /** What a type makes of values. */
  private static float[] stored(float[] values, TensorType type) {
    ByteBuffer blocks =
        ByteBuffer.allocate(values.length / type.blockElements() * type.blockBytes())
            .order(ByteOrder.LITTLE_ENDIAN);
    type.compress(FloatBuffer.wrap(values), blocks);
    float[] back = new float[values.length];
    type.expand(blocks.flip(), FloatBuffer.wrap(back));
    return back;
  }

  @ParameterizedTest
  @CsvSource({
    "F16, 65504, 65505, 65505.0, F16 ends at 65504",
    "F16, -65504, -1e9, 1.00000e+09, F16 ends at 65504",
    "Q8_0, 8319008, 8319009, 8.31901e+06, Q8_0 ends at 8319008",
    "Q4_0, 524032, -524040, 524040, Q4_0 ends at 524032"
  })
  void weightsTooLargeAreRefusedByName(
      WeightType type, float most, float tooMuch, String size, String end) throws IOException {
    Path file = folder.resolve("out.gguf");
    GgufWriter.write(withOne(most), type, file);
    byte[] before = Files.readAllBytes(file);
    assertEquals(
        "tensor blk.1.ffn_up.weight has a weight of size "
            + size
            + ", but "
            + end
            + ": another type can hold it",
        assertThrows(
                IllegalArgumentException.class,
                () -> GgufWriter.write(withOne(tooMuch), type, file))
            .getMessage());
    assertArrayEquals(before, Files.readAllBytes(file));
    try (Stream<Path> files = Files.list(folder)) {
      assertEquals(List.of(file), files.toList());
    }
  }

  @ParameterizedTest
  @EnumSource(value = WeightType.class, names = "F32", mode = EnumSource.Mode.EXCLUDE)
  void whatIsNoFiniteNumberIsRefusedByName(WeightType type) {
    for (float odd : new float[] {Float.NaN, Float.POSITIVE_INFINITY, Float.NEGATIVE_INFINITY}) {
      assertEquals(
          "tensor blk.1.ffn_up.weight holds "
              + Math.abs(odd)
              + ", but weights must be finite numbers",
          assertThrows(
                  IllegalArgumentException.class,
                  () -> GgufWriter.write(withOne(odd), type, folder.resolve("out.gguf")))
              .getMessage());
    }
  }

  /** Many pieces, one of which has an odd value, and a later tensor that has it too. */
  private static MemoryTensors withOne(float value) {
    float[] values = new float[20_000 * 32];
    Arrays.fill(values, 0.5f);
    float[] odd = values.clone();
    odd[500_000] = value;
    return new MemoryTensors(Map.of())
        .with("blk.0.ffn_up.weight", values, 20_000, 32)
        .with("blk.1.ffn_up.weight", odd, 20_000, 32)
        .with("blk.2.ffn_up.weight", odd, 20_000, 32);
  }
}
