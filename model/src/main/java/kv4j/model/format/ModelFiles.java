package kv4j.model.format;

import java.nio.file.Files;
import java.nio.file.Path;

/** Opens model files of any supported format, told from what is in them. */
public final class ModelFiles {
  private ModelFiles() {}

  /**
   * Opens a GGUF file, a llama2.c checkpoint, a safetensors file with its {@code config.json}
   * beside it, or a folder with both.
   *
   * <p>This reads and checks what files say of their tensors, not the tensors. The file must not
   * change while it is open.
   *
   * @throws ModelFileException if there is no such file, or it is not a sound model file
   */
  public static TensorSource open(Path path) {
    if (Files.isDirectory(path)) {
      return SafetensorsFolder.open(path);
    }
    StoredFile file = StoredFile.open(path);
    try {
      return open(file);
    } catch (RuntimeException e) {
      file.close();
      throw e;
    }
  }

  /**
   * Opens a GGUF file whose bytes are in memory, such as a resource of a jar.
   *
   * @param name what messages call it
   * @param content must not change while it is open
   * @throws ModelFileException if it is not a sound GGUF file
   */
  public static TensorSource openGguf(Path name, byte[] content) {
    StoredFile file = StoredFile.inMemory(name, content);
    if (!GgufReader.recognizes(file)) {
      throw file.wrong("is not GGUF");
    }
    return GgufReader.read(file);
  }

  private static TensorSource open(StoredFile file) {
    if (GgufReader.recognizes(file)) {
      return GgufReader.read(file);
    }
    if (SafetensorsReader.recognizes(file)) {
      return SafetensorsFolder.read(file);
    }
    if (Llama2cReader.recognizes(file)) {
      return Llama2cReader.read(file);
    }
    throw file.wrong("is not a model file: neither GGUF, nor safetensors, nor llama2.c");
  }
}
