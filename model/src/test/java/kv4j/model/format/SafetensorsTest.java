package kv4j.model.format;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SafetensorsTest {
  private static final String AB =
      """
      {"__metadata__": {"format": "pt", "more": ["a", {}]},
       "b": {"dtype": "BF16", "shape": [2], "data_offsets": [24, 28]},
       "a": {"dtype": "F32", "shape": [2, 3], "data_offsets": [0, 24]}}""";
  private static final byte[] AB_DATA =
      new Bytes().f32(1, 2, 3, 4, 5, 6).i16(0x3F80).i16(0xC000).array();

  @TempDir private Path folder;

  @BeforeEach
  void writeConfig() throws IOException {
    Files.writeString(
        folder.resolve("config.json"),
        """
        {"model_type": "llama", "hidden_size": 3, "rope_scaling": {"factor": 32.5}, "tie": true}""");
  }

  @Test
  void readsAFolderAndItsFileAlike() throws IOException {
    write("model.safetensors", AB, AB_DATA);
    for (Path path : List.of(folder, folder.resolve("model.safetensors"))) {
      try (TensorSource source = ModelFiles.open(path)) {
        assertEquals("safetensors", source.format());
        assertEquals(path.toString(), source.origin());
        assertEquals(
            Map.of(
                "model_type",
                "llama",
                "hidden_size",
                3,
                "rope_scaling",
                Map.of("factor", 32.5),
                "tie",
                true),
            source.metadata());
        assertEquals(List.of("b", "a"), List.copyOf(source.tensorNames()));
        assertArrayEquals(new long[] {2, 3}, source.shape("a"));
        assertArrayEquals(new float[] {1, 2, 3, 4, 5, 6}, MemoryTensors.floats(source, "a"));
        assertEquals("BF16", source.dtype("b"));
        assertArrayEquals(new float[] {1, -2}, MemoryTensors.floats(source, "b"));
      }
    }
  }

  @Test
  void readsShardsByTheirIndex() throws IOException {
    write("model-1.safetensors", AB, AB_DATA);
    write(
        "model-2.safetensors",
        """
        {"a": {"dtype": "F16", "shape": [1], "data_offsets": [0, 2]},
         "c": {"dtype": "F16", "shape": [], "data_offsets": [2, 4]}}""",
        new Bytes().i16(0x3C00).i16(0xBC00).array());
    index(Map.of("b", "model-1.safetensors", "a", "model-2.safetensors"), "c");
    try (TensorSource source = ModelFiles.open(folder)) {
      assertEquals(Set.of("a", "b", "c"), source.tensorNames());
      assertArrayEquals(new float[] {1}, MemoryTensors.floats(source, "a"));
      assertArrayEquals(new float[] {1, -2}, MemoryTensors.floats(source, "b"));
      assertArrayEquals(new float[] {-1}, MemoryTensors.floats(source, "c"));
    }
  }

  @Test
  void refusesAnIndexThatIsWrong() throws IOException {
    write("model-2.safetensors", AB, AB_DATA);
    index(Map.of(), "c");
    assertRefused(folder, "tensor c is not in model-2.safetensors");
    for (String shard : List.of("../model-2.safetensors", "/etc/passwd", "x/y.safetensors", "")) {
      index(Map.of("a", shard), "b");
      assertRefused(folder, "not the name of a safetensors file");
    }
    index(Map.of("a", "model-3.safetensors"), "b");
    assertRefused(folder, "model-3.safetensors: there is no such file");
    Files.writeString(folder.resolve("model.safetensors.index.json"), "{\"weight_map\": []}");
    assertRefused(folder, "weight_map");
  }

  @Test
  void aTensorOfAnotherTypeIsRefusedOnlyWhenRead() throws IOException {
    write(
        "model.safetensors",
        "{\"ids\": {\"dtype\": \"I64\", \"shape\": [1], \"data_offsets\": [0, 8]}}",
        new byte[8]);
    try (TensorSource source = ModelFiles.open(folder)) {
      assertEquals("I64", source.dtype("ids"));
      ModelFileException wrong =
          assertThrows(ModelFileException.class, () -> MemoryTensors.floats(source, "ids"));
      assertTrue(wrong.getMessage().contains("tensor ids has the unsupported type I64"));
    }
  }

  @Test
  void saysWhatIsWrong() throws IOException {
    refused("lacks its dtype", "{\"a\": {\"dtype\": \"F32\", \"shape\": [1]}}");
    refused("dtype that is not a string", "{\"a\": {\"dtype\": {}}}");
    refused("takes 4 bytes, but has 8", tensor("F32", "1", "0, 8"));
    refused("not within the file's 8 bytes", tensor("F32", "4", "0, 16"));
    refused("not within the file's 8 bytes", tensor("F32", "1", "9223372036854775807, 4"));
    refused("with -4 in it", tensor("F32", "1", "-4, 0"));
    refused("with 9223372036854775808 in it", tensor("F32", "9223372036854775808", "0, 4"));
    refused("with 1.0 in it", tensor("F32", "1.0", "0, 4"));
    refused("a dimension of 0", tensor("F32", "0", "0, 0"));
    refused("more elements than fit", tensor("F16", "4294967296, 4294967296", "0, 0"));
    refused("more than 4 numbers", tensor("F32", "1, 1, 1, 1, 1", "0, 4"));
    refused("not valid JSON", "{\"a\": ");
    refused("not one JSON object", "{} {}");
    refused("Duplicate field 'a'", "{\"a\":" + entry("0, 4") + ",\"a\":" + entry("4, 8") + "}");
    refused("a and b overlap", "{\"a\":" + entry("0, 4") + ",\"b\":" + entry("0, 4") + "}");
    refused("not described by a JSON object", "{\"a\": 5}");
    refused("not valid JSON", "{\"a\": {\"b\": " + "[".repeat(5000));
    Path file = folder.resolve("model.safetensors");
    Files.write(file, new Bytes().i64(1 << 20).ascii("{}").array());
    assertRefused(file, "a header of 1048576 bytes");
  }

  @Test
  void refusesAFolderWithoutConfigOrWeights() throws IOException {
    assertRefused(folder, "there is no model.safetensors");
    write("model.safetensors", AB, AB_DATA);
    Files.writeString(folder.resolve("config.json"), "[]");
    assertRefused(folder, "config.json: is not a JSON object");
    Files.writeString(folder.resolve("config.json"), "{\"a\": 1} x");
    assertRefused(folder, "config.json: is not a JSON object");
    Files.writeString(folder.resolve("config.json"), "null");
    assertRefused(folder, "config.json: is not a JSON object");
    Files.delete(folder.resolve("config.json"));
    assertRefused(folder, "no config.json");
    assertRefused(folder.resolve("model.safetensors"), "no config.json");
  }

  private static String tensor(String dtype, String shape, String offsets) {
    return "{\"a\": {\"dtype\": \"%s\", \"shape\": [%s], \"data_offsets\": [%s]}}"
        .formatted(dtype, shape, offsets);
  }

  private static String entry(String offsets) {
    return "{\"dtype\": \"F32\", \"shape\": [1], \"data_offsets\": [" + offsets + "]}";
  }

  /** All tensors given, and one more in {@code model-2.safetensors}. */
  private void index(Map<String, String> shards, String more) throws IOException {
    StringBuilder map = new StringBuilder();
    shards.forEach((name, shard) -> map.append("\"%s\": \"%s\", ".formatted(name, shard)));
    Files.writeString(
        folder.resolve("model.safetensors.index.json"),
        "{\"metadata\": {}, \"weight_map\": {"
            + map
            + "\""
            + more
            + "\": \"model-2.safetensors\"}}");
  }

  private void write(String name, String header, byte[] data) throws IOException {
    byte[] json = header.getBytes(StandardCharsets.UTF_8);
    Files.write(folder.resolve(name), new Bytes().i64(json.length).raw(json).raw(data).array());
  }

  private void refused(String expected, String header) throws IOException {
    write("model.safetensors", header, new byte[8]);
    assertRefused(folder, expected);
  }

  private static void assertRefused(Path path, String expected) {
    ModelFileException wrong =
        assertThrows(ModelFileException.class, () -> ModelFiles.open(path).close());
    assertTrue(wrong.getMessage().contains(expected), wrong.getMessage());
  }
}
