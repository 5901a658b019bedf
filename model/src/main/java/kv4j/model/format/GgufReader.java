package kv4j.model.format;

import static kv4j.model.format.ModelFileException.printable;

import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import kv4j.model.format.StoredTensors.Entry;
import kv4j.model.format.block.TensorType;

/** Reads GGUF, versions 2 and 3: header, metadata, tensor infos, then the tensors' aligned data. */
final class GgufReader {
  static final String FORMAT = "GGUF";

  /** The letters GGUF, lowest byte first. */
  static final int MAGIC = 0x46554747;

  static final String ALIGNMENT_KEY = "general.alignment";
  static final int DEFAULT_ALIGNMENT = 32;

  private static final String SPLIT_KEY = "split.count";

  private final StoredFile file;
  private final GgufCursor header;

  private GgufReader(StoredFile file) {
    this.file = file;
    header = new GgufCursor(file);
  }

  /** Whether a file says that it is GGUF. */
  static boolean recognizes(StoredFile file) {
    return file.size() >= 4 && file.copy(0, 4).getInt() == MAGIC;
  }

  /**
   * @throws ModelFileException if the file is not sound
   */
  static TensorSource read(StoredFile file) {
    return new GgufReader(file).read();
  }

  private TensorSource read() {
    header.int32("magic");
    requireVersion(header.int32("version"));
    int tensors = header.count("number of tensors", 24);
    int pairs = header.count("number of metadata entries", 13);
    Map<String, Object> metadata = metadata(pairs);
    if (metadata.get(SPLIT_KEY) instanceof Long parts && parts > 1) {
      throw file.wrong("is one of " + parts + " parts of a model; join them to one file");
    }
    long alignment = alignment(metadata);
    Map<String, Entry> entries = entries(infos(tensors), alignment);
    StoredTensors.requireDisjoint(file, entries);
    return new StoredTensors(FORMAT, file.path().toString(), metadata, entries, List.of(file));
  }

  private void requireVersion(int version) {
    int swapped = Integer.reverseBytes(version);
    if (swapped == 2 || swapped == 3) {
      throw file.wrong("is big-endian GGUF, which is not supported");
    }
    if (version != 2 && version != 3) {
      throw file.wrong(
          "is GGUF version "
              + Integer.toUnsignedString(version)
              + "; versions 2 and 3 are supported");
    }
  }

  private Map<String, Object> metadata(int pairs) {
    Map<String, Object> metadata = new LinkedHashMap<>();
    for (int i = 0; i < pairs; i++) {
      String key = header.string("metadata key " + i);
      if (metadata.containsKey(key)) {
        throw file.wrong("metadata key " + printable(key) + " is there twice");
      }
      metadata.put(key, header.value("metadata value of " + printable(key)));
    }
    return metadata;
  }

  private long alignment(Map<String, Object> metadata) {
    Object alignment = metadata.getOrDefault(ALIGNMENT_KEY, (long) DEFAULT_ALIGNMENT);
    if (alignment instanceof Long bytes && bytes > 0 && bytes <= 1 << 30) {
      if (Long.bitCount(bytes) == 1) {
        return bytes;
      }
    }
    throw file.wrong(ALIGNMENT_KEY + " must be a power of two up to 2^30, not " + shown(alignment));
  }

  private static String shown(Object value) {
    return value instanceof List ? "a list" : printable(value.toString());
  }

  /** What is said of a tensor before its place in the file can be worked out. */
  private record Info(TensorType type, long[] shape, long offset) {}

  private Map<String, Info> infos(int tensors) {
    Map<String, Info> infos = new LinkedHashMap<>();
    for (int i = 0; i < tensors; i++) {
      String name = header.string("name of tensor " + i);
      String tensor = "tensor " + printable(name);
      int rank = header.int32("rank of " + tensor);
      if (rank < 0 || rank > StoredTensors.MAX_RANK) {
        throw file.wrong(tensor + " has " + Integer.toUnsignedString(rank) + " dimensions");
      }
      long[] shape = new long[rank];
      for (int d = rank - 1; d >= 0; d--) { // the file has the innermost first
        shape[d] = header.int64("shape of " + tensor);
      }
      int id = header.int32("type of " + tensor);
      TensorType type = TensorType.ofId(id).orElseThrow(() -> unsupported(tensor, id));
      Info info = new Info(type, shape, header.int64("offset of " + tensor));
      if (infos.put(name, info) != null) {
        throw file.wrong(tensor + " is there twice");
      }
    }
    return infos;
  }

  private ModelFileException unsupported(String tensor, int id) {
    return file.wrong(
        tensor
            + " has the unsupported type number "
            + Integer.toUnsignedString(id)
            + "; supported are "
            + String.join(
                ", ",
                Arrays.stream(TensorType.values())
                    .map(type -> type.id() + " (" + type + ")")
                    .toList()));
  }

  private Map<String, Entry> entries(Map<String, Info> infos, long alignment) {
    long dataStart = (header.position() + alignment - 1) & -alignment;
    Map<String, Entry> entries = new LinkedHashMap<>();
    infos.forEach(
        (name, info) -> {
          long offset = info.offset();
          // Refused below as it is: added to anything, it might overflow.
          boolean outside = offset < 0 || offset > file.size();
          if (!outside && offset % alignment != 0) {
            throw file.wrong(
                "tensor "
                    + printable(name)
                    + " is at offset "
                    + offset
                    + ", not a multiple of "
                    + alignment);
          }
          long at = outside ? offset : dataStart + offset;
          entries.put(name, Entry.checked(file, name, info.type(), info.shape(), at));
        });
    return entries;
  }
}
