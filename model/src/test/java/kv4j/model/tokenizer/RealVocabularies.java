package kv4j.model.tokenizer;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.zip.GZIPInputStream;
import kv4j.model.format.ModelFiles;
import kv4j.model.format.TensorSource;

/** Vocabularies of real models: small ones in {@code testdata}, the others beside the project. */
final class RealVocabularies {
  private static final String SEPARATOR = "\n__ggml_vocab_test__\n";

  private RealVocabularies() {}

  /** The metadata of a GGUF file; skips the test where it is absent. */
  static Map<String, Object> metadata(String name) throws IOException {
    Path compressed = SharedFiles.testdata("tokenizers/ggml-vocab-" + name + ".gguf.gz");
    if (!Files.exists(compressed)) {
      return open(SharedFiles.file("tokenizers/ggml-vocab-" + name + ".gguf"));
    }
    Path file = Files.createTempFile("vocabulary", ".gguf");
    try {
      try (InputStream in = new GZIPInputStream(Files.newInputStream(compressed))) {
        Files.copy(in, file, StandardCopyOption.REPLACE_EXISTING);
      }
      return open(file);
    } finally {
      Files.delete(file);
    }
  }

  private static Map<String, Object> open(Path file) throws IOException {
    try (TensorSource source = ModelFiles.open(file)) {
      return source.metadata();
    }
  }

  /** The texts that a vocabulary is tried with. */
  static List<String> texts(String name) throws IOException {
    Path own = SharedFiles.path("tokenizers/ggml-vocab-" + name + ".gguf.inp");
    Path common = SharedFiles.testdata("tokenizers/texts.inp");
    return List.of(Files.readString(Files.exists(own) ? own : common).split(SEPARATOR, -1));
  }

  /** The ids of each of the texts. */
  static List<int[]> ids(String name) throws IOException {
    Path ours = SharedFiles.testdata("tokenizers/ggml-vocab-" + name + ".out");
    Path file =
        Files.exists(ours) ? ours : SharedFiles.file("tokenizers/ggml-vocab-" + name + ".gguf.out");
    return Files.readAllLines(file).stream()
        .map(
            line ->
                Arrays.stream(line.strip().split(" "))
                    .filter(id -> !id.isEmpty())
                    .mapToInt(Integer::parseInt)
                    .toArray())
        .toList();
  }
}
