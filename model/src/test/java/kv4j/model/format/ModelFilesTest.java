package kv4j.model.format;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.FloatBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ModelFilesTest {
  private static final int DIM = 8;
  private static final int FFN = 5;
  private static final int LAYERS = 2;
  private static final int KV_DIM = 4;
  private static final int VOCABULARY = 7;
  private static final int CONTEXT = 3;

  @TempDir private Path folder;

  @Test
  void readsACheckpointWithItsOwnOutputWeights() throws IOException {
    checkpoint(-VOCABULARY);
  }

  @Test
  void readsACheckpointThatSharesItsEmbedding() throws IOException {
    checkpoint(VOCABULARY);
  }

  /** A checkpoint whose weights are counted from 0, so that each says where it was. */
  private void checkpoint(int vocabulary) throws IOException {
    boolean tied = vocabulary > 0;
    int perLayer = 2 * DIM + 2 * DIM * DIM + 2 * KV_DIM * DIM + 3 * FFN * DIM;
    int rotary = CONTEXT * 4;
    int count = VOCABULARY * DIM + LAYERS * perLayer + DIM + rotary + (tied ? 0 : VOCABULARY * DIM);
    Bytes bytes = new Bytes().i32(DIM, FFN, LAYERS, 2, 1, vocabulary, CONTEXT);
    for (int i = 0; i < count; i++) {
      bytes.f32(i);
    }
    try (TensorSource source = ModelFiles.open(write(bytes))) {
      assertEquals("llama2.c", source.format());
      assertEquals("llama", source.metadata().get("general.architecture"));
      assertEquals(1L, source.metadata().get("llama.attention.head_count_kv"));
      assertEquals(7L, source.metadata().get("llama.vocab_size"));
      assertEquals(4L, source.metadata().get("llama.rope.dimension_count"));
      int at = expect(source, "token_embd.weight", 0, VOCABULARY, DIM);
      at = expectLayers(source, "attn_norm", at, DIM);
      at = expectLayers(source, "attn_q", at, DIM, DIM);
      at = expectLayers(source, "attn_k", at, KV_DIM, DIM);
      at = expectLayers(source, "attn_v", at, KV_DIM, DIM);
      at = expectLayers(source, "attn_output", at, DIM, DIM);
      at = expectLayers(source, "ffn_norm", at, DIM);
      at = expectLayers(source, "ffn_gate", at, FFN, DIM);
      at = expectLayers(source, "ffn_down", at, DIM, FFN);
      at = expectLayers(source, "ffn_up", at, FFN, DIM);
      at = rotary + expect(source, "output_norm.weight", at, DIM);
      if (!tied) {
        at = expect(source, "output.weight", at, VOCABULARY, DIM);
      }
      assertEquals(count, at);
      assertEquals(tied ? 20 : 21, source.tensorNames().size());
    }
    byte[] whole = bytes.array();
    for (int size : new int[] {whole.length - 1, whole.length + 1, 28}) {
      String message = failure(write(new Bytes().raw(Arrays.copyOf(whole, size))));
      assertTrue(message.contains(whole.length + " bytes, but has " + size), message);
    }
  }

  private static int expectLayers(TensorSource source, String name, int at, long... shape) {
    for (int layer = 0; layer < LAYERS; layer++) {
      at = expect(source, "blk." + layer + "." + name + ".weight", at, shape);
    }
    return at;
  }

  private static int expect(TensorSource source, String name, int first, long... shape) {
    source.require(name, shape);
    float[] values = MemoryTensors.floats(source, name);
    for (int i = 0; i < values.length; i++) {
      assertEquals(first + i, values[i], name);
    }
    return first + values.length;
  }

  @Test
  void namesWhatIsNoModelFile() throws IOException {
    Path none = folder.resolve("none");
    assertEquals(none + ": there is no such file or folder", failure(none));
    for (Bytes bytes :
        List.of(
            new Bytes(),
            new Bytes().ascii("GGU"),
            new Bytes().ascii("{\"model_type\": \"llama\"}"),
            new Bytes().ascii("just some text, longer than any header of ours"),
            new Bytes().i32(new int[100]))) {
      assertTrue(failure(write(bytes)).contains("is not a model file"));
    }
  }

  @Test
  void aFileThatChangesUnderItsReaderIsAnError() throws IOException {
    Bytes bytes = new Bytes().ascii("GGUF").i32(3).i64(1, 0);
    bytes.string("t").i32(1).i64(10_000).i32(0).i64(0).pad(32).raw(new byte[40_000]);
    Path file = write(bytes);
    try (TensorSource source = ModelFiles.open(file)) {
      Files.write(file, Arrays.copyOf(bytes.array(), 5000));
      ModelFileException wrong =
          assertThrows(ModelFileException.class, () -> MemoryTensors.floats(source, "t"));
      assertTrue(wrong.getMessage().startsWith(file + ": cannot be read"), wrong.getMessage());
    }
  }

  @Test
  void aHugeSparseFileIsReadAtItsEnd() throws IOException {
    long rows = 1_100_000;
    Bytes header = new Bytes().ascii("GGUF").i32(3).i64(1, 0);
    header.string("t").i32(2).i64(512, rows).i32(0).i64(0).pad(32);
    Path file = write(header);
    try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
      long end = header.array().length + rows * 512 * Float.BYTES;
      channel.write(ByteBuffer.wrap(new Bytes().f32(1.5f).array()), end - Float.BYTES);
    }
    try (TensorSource source = ModelFiles.open(file)) {
      FloatBuffer out = FloatBuffer.allocate(2 * 512);
      source.readRows("t", rows - 2, out);
      assertEquals(0, out.get(1022));
      assertEquals(1.5f, out.get(1023));
      assertEquals(rows * 512, source.elements("t"));
    }
  }

  @Test
  void readsMoreThanIsReadAtATime() throws IOException {
    int blocks = 1_200_000; // 40.8 MB of Q8_0
    byte[] data = new byte[34 * blocks];
    for (int block = 0; block < blocks; block++) {
      data[34 * block + 1] = 0x3C; // scale 1
      data[34 * block + 2] = (byte) (block % 101);
    }
    Bytes bytes = new Bytes().ascii("GGUF").i32(3).i64(1, 0);
    bytes.string("t").i32(1).i64(32L * blocks).i32(8).i64(0).pad(32).raw(data);
    try (TensorSource source = ModelFiles.open(write(bytes))) {
      float[] values = MemoryTensors.floats(source, "t");
      for (int i = 0; i < values.length; i++) {
        if (values[i] != (i % 32 == 0 ? i / 32 % 101 : 0)) {
          throw new AssertionError("element " + i + " is " + values[i]);
        }
      }
    }
  }

  private Path write(Bytes bytes) throws IOException {
    return Files.write(folder.resolve("model"), bytes.array());
  }

  private static String failure(Path path) {
    return assertThrows(ModelFileException.class, () -> ModelFiles.open(path).close()).getMessage();
  }
}
