package kv4j.model.format;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashSet;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A trained model that there is in two formats. */
class Stories260kTest {
  private static final Path FILES = Path.of("..", "testdata", "stories260K");
  private static final Path GGUF = FILES.resolve("stories260K.gguf");
  private static final Path CHECKPOINT = FILES.resolve("stories260K.bin");

  @TempDir private Path folder;

  @Test
  void bothFormatsHaveTheSameTensors() {
    try (TensorSource gguf = ModelFiles.open(GGUF);
        TensorSource checkpoint = ModelFiles.open(CHECKPOINT)) {
      assertEquals("GGUF", gguf.format());
      assertEquals("llama2.c", checkpoint.format());
      Set<String> onlyInGguf = new HashSet<>(gguf.tensorNames());
      onlyInGguf.removeAll(checkpoint.tensorNames());
      assertTrue(Set.of("output.weight").containsAll(onlyInGguf), onlyInGguf.toString());
      for (String name : checkpoint.tensorNames()) {
        assertSame(checkpoint, name, gguf, name);
      }
      for (String name : onlyInGguf) {
        assertSame(checkpoint, "token_embd.weight", gguf, name);
      }
      checkpoint
          .metadata()
          .forEach((key, value) -> assertEquals(value, gguf.metadata().get(key), key));
    }
  }

  @Test
  void safetensorsOfItHaveTheSameTensors() throws IOException {
    try (TensorSource checkpoint = ModelFiles.open(CHECKPOINT)) {
      writeSafetensors(checkpoint);
      try (TensorSource safetensors = ModelFiles.open(folder)) {
        assertEquals(checkpoint.tensorNames(), safetensors.tensorNames());
        for (String name : checkpoint.tensorNames()) {
          assertSame(checkpoint, name, safetensors, name);
        }
      }
    }
  }

  @Test
  void writtenAgainItIsTheSame() {
    Path copy = folder.resolve("copy");
    try (TensorSource gguf = ModelFiles.open(GGUF)) {
      GgufWriter.write(gguf, copy);
      try (TensorSource read = ModelFiles.open(copy)) {
        assertEquals(
            gguf.metadata().get("tokenizer.ggml.tokens"),
            read.metadata().get("tokenizer.ggml.tokens"));
        for (String name : gguf.tensorNames()) {
          assertSame(gguf, name, read, name);
        }
      }
    }
  }

  private void writeSafetensors(TensorSource source) throws IOException {
    StringBuilder header = new StringBuilder("{");
    Bytes data = new Bytes();
    int at = 0;
    for (String name : source.tensorNames()) {
      float[] values = MemoryTensors.floats(source, name);
      String shape = Arrays.toString(source.shape(name));
      int end = at + values.length * Float.BYTES;
      header.append(at == 0 ? "" : ",");
      header.append(
          "\"%s\":{\"dtype\":\"F32\",\"shape\":%s,\"data_offsets\":[%d,%d]}"
              .formatted(name, shape, at, end));
      data.f32(values);
      at = end;
    }
    byte[] json = header.append("}").toString().getBytes(StandardCharsets.UTF_8);
    Files.write(
        folder.resolve("model.safetensors"),
        new Bytes().i64(json.length).raw(json).raw(data.array()).array());
    Files.writeString(folder.resolve("config.json"), "{}");
  }

  private static void assertSame(
      TensorSource expected, String expectedName, TensorSource actual, String name) {
    actual.require(name, expected.shape(expectedName));
    assertArrayEquals(
        MemoryTensors.floats(expected, expectedName), MemoryTensors.floats(actual, name), name);
  }
}
