package kv4j.model.format;

import static kv4j.model.format.ModelFileException.printable;

import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import kv4j.model.format.StoredTensors.Entry;

/**
 * A model as Hugging Face keeps it: a folder with {@code config.json} and one safetensors file, or
 * several with an index that says which has which tensor.
 */
final class SafetensorsFolder {
  static final String FORMAT = "safetensors";

  private static final String CONFIG = "config.json";
  private static final String SINGLE = "model.safetensors";
  private static final String INDEX = SINGLE + ".index.json";
  private static final String WEIGHT_MAP = "weight_map";

  /** Real ones have some kilobytes. */
  private static final int MAX_CONFIG = 1 << 20;

  /** Real ones have up to about nine megabytes. */
  private static final int MAX_INDEX = 1 << 24;

  private static final ObjectMapper MAPPER =
      new ObjectMapper(SafetensorsReader.JSON)
          .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS);
  private static final TypeReference<Map<String, Object>> OBJECT = new TypeReference<>() {};

  private final Path folder;
  private final Map<String, Object> config;
  private final List<StoredFile> files = new ArrayList<>();
  private final Map<String, Entry> entries = new LinkedHashMap<>();

  private SafetensorsFolder(Path folder) {
    this.folder = folder;
    if (!Files.exists(folder.resolve(CONFIG))) {
      throw new ModelFileException(
          folder.toString(), "there is no " + CONFIG + " in this folder, as a model needs");
    }
    config = object(folder.resolve(CONFIG), MAX_CONFIG);
  }

  /**
   * The model in a folder.
   *
   * @throws ModelFileException if there is none, or its files are not sound
   */
  static TensorSource open(Path folder) {
    SafetensorsFolder model = new SafetensorsFolder(folder);
    try {
      if (Files.exists(folder.resolve(SINGLE))) {
        model.entries.putAll(model.shard(SINGLE));
      } else if (Files.exists(folder.resolve(INDEX))) {
        model.readShards();
      } else {
        throw new ModelFileException(
            folder.toString(), "there is no " + SINGLE + " and no " + INDEX + " in this folder");
      }
      return model.tensors(folder);
    } catch (RuntimeException e) {
      model.files.forEach(StoredFile::close);
      throw e;
    }
  }

  /**
   * The model in one file, with its config beside it.
   *
   * @throws ModelFileException if the files are not sound
   */
  static TensorSource read(StoredFile file) {
    SafetensorsFolder model = new SafetensorsFolder(file.path().toAbsolutePath().getParent());
    model.files.add(file);
    model.entries.putAll(SafetensorsReader.entries(file));
    return model.tensors(file.path());
  }

  private TensorSource tensors(Path origin) {
    return new StoredTensors(FORMAT, origin.toString(), config, entries, files);
  }

  private Map<String, Entry> shard(String name) {
    StoredFile file = StoredFile.open(folder.resolve(name));
    files.add(file);
    return SafetensorsReader.entries(file);
  }

  private void readShards() {
    String index = folder.resolve(INDEX).toString();
    if (!(object(folder.resolve(INDEX), MAX_INDEX).get(WEIGHT_MAP) instanceof Map<?, ?> map)) {
      throw new ModelFileException(index, "has no " + WEIGHT_MAP + " of tensors to files");
    }
    Map<String, Map<String, Entry>> shards = new LinkedHashMap<>();
    map.forEach(
        (key, value) -> {
          String tensor = key.toString();
          String shard = shardName(index, tensor, value);
          Entry entry = shards.computeIfAbsent(shard, this::shard).get(tensor);
          if (entry == null) {
            throw new ModelFileException(
                index, "tensor " + printable(tensor) + " is not in " + printable(shard));
          }
          entries.put(tensor, entry);
        });
  }

  /** An index must not lead out of its folder. */
  private static String shardName(String index, String tensor, Object name) {
    if (name instanceof String shard && shard.matches("[\\w.-]+\\.safetensors")) {
      return shard;
    }
    throw new ModelFileException(
        index,
        "tensor "
            + printable(tensor)
            + " is said to be in "
            + printable(String.valueOf(name))
            + ", not the name of a safetensors file");
  }

  private static Map<String, Object> object(Path path, int mostBytes) {
    try (StoredFile file = StoredFile.open(path)) {
      if (file.size() > mostBytes) {
        throw file.wrong("has " + file.size() + " bytes; up to " + mostBytes + " are supported");
      }
      Map<String, Object> object =
          MAPPER.readValue(file.copy(0, (int) file.size()).array(), OBJECT);
      if (object == null) {
        throw file.wrong("is not a JSON object");
      }
      return object;
    } catch (IOException e) {
      throw new ModelFileException(
          path.toString(), "is not a JSON object (" + SafetensorsReader.reason(e) + ")", e);
    }
  }
}
