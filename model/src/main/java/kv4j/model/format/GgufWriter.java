package kv4j.model.format;

import java.io.IOException;
import java.math.BigInteger;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;
import kv4j.model.format.GgufCursor.ValueType;
import kv4j.model.format.block.TensorType;

/**
 * Writes GGUF version 3.
 *
 * <p>Metadata get the types that GGUF's own keys have: a whole number is UINT32, INT32 if negative,
 * of 64 bits if it is too large for these; {@link Float} is FLOAT32 and {@link Double} FLOAT64; a
 * list of whole numbers is of INT32, or of INT64.
 */
public final class GgufWriter {
  private static final int VERSION = 3;
  private static final String FILE_TYPE_KEY = "general.file_type";
  private static final String QUANTIZATION_KEY = "general.quantization_version";
  private static final long QUANTIZATION_VERSION = 2;
  private static final int BUFFER = 1 << 20;
  private static final long MAX_UINT32 = 0xFFFFFFFFL;

  private final FileChannel channel;
  private final ByteBuffer header =
      ByteBuffer.allocateDirect(BUFFER).order(ByteOrder.LITTLE_ENDIAN);

  private GgufWriter(FileChannel channel) {
    this.channel = channel;
  }

  /** Writes a model with all tensors as F32, every bit of them as it is. */
  public static long write(TensorSource source, Path file) {
    return write(source, WeightType.F32, file);
  }

  /**
   * Writes a model to a file, whole or not at all, replacing what was there. Tensors and metadata
   * are the source's, in its order, but for the keys that say how the file itself stores them.
   * Values are streamed: memory is taken for some rows of a tensor at a time on each processor.
   *
   * @return the file's size in bytes
   * @throws IllegalArgumentException if the metadata have a value that GGUF cannot have, if a
   *     weight is too large for its type, or not finite where that is not F32, or if the file
   *     cannot be written
   * @throws ModelFileException if the source cannot be read
   */
  public static long write(TensorSource source, WeightType type, Path file) {
    return WholeFile.at(file).write(channel -> new GgufWriter(channel).write(source, type));
  }

  private void write(TensorSource source, WeightType type) throws IOException {
    Map<String, Object> metadata = new LinkedHashMap<>(source.metadata());
    metadata.put(GgufReader.ALIGNMENT_KEY, (long) GgufReader.DEFAULT_ALIGNMENT);
    metadata.put(FILE_TYPE_KEY, type.fileType());
    metadata.remove(QUANTIZATION_KEY);
    if (type.isQuantized()) {
      metadata.put(QUANTIZATION_KEY, QUANTIZATION_VERSION);
    }
    putInt(GgufReader.MAGIC);
    putInt(VERSION);
    putLong(source.tensorNames().size());
    putLong(metadata.size());
    for (Map.Entry<String, Object> pair : metadata.entrySet()) {
      putString(pair.getKey());
      ValueType valueType = typeOf(pair.getKey(), pair.getValue());
      putInt(valueType.ordinal());
      putValue(pair.getKey(), valueType, pair.getValue());
    }
    Map<String, TensorType> types = new LinkedHashMap<>();
    long offset = 0;
    for (String name : source.tensorNames()) {
      long[] shape = source.shape(name);
      types.put(name, type.of(name, shape));
      putString(name);
      putInt(shape.length);
      for (int d = shape.length - 1; d >= 0; d--) { // the innermost first
        putLong(shape[d]);
      }
      putInt(types.get(name).id());
      putLong(offset);
      offset += size(source, name, types.get(name));
    }
    flush();
    pad();
    TensorWriter tensors = new TensorWriter(source, channel);
    long at = channel.position();
    for (Map.Entry<String, TensorType> tensor : types.entrySet()) {
      long size = size(source, tensor.getKey(), tensor.getValue());
      tensors.add(tensor.getKey(), tensor.getValue(), at, size);
      at += size;
    }
    tensors.run();
  }

  private static long size(TensorSource source, String tensor, TensorType type) {
    return aligned(TensorWriter.bytes(type, source.elements(tensor)));
  }

  private static ValueType typeOf(String key, Object value) {
    if (value instanceof String) {
      return ValueType.STRING;
    } else if (value instanceof Boolean) {
      return ValueType.BOOL;
    } else if (value instanceof List) {
      return ValueType.ARRAY;
    } else if (value instanceof Float) {
      return ValueType.FLOAT32;
    } else if (value instanceof Double) {
      return ValueType.FLOAT64;
    } else if (value instanceof BigInteger) {
      return ValueType.UINT64;
    } else if (isWhole(value)) {
      long number = ((Number) value).longValue();
      if (number >= 0) {
        return number <= MAX_UINT32 ? ValueType.UINT32 : ValueType.UINT64;
      }
      return number >= Integer.MIN_VALUE ? ValueType.INT32 : ValueType.INT64;
    }
    throw impossible(key);
  }

  private static boolean isWhole(Object value) {
    return value instanceof Long
        || value instanceof Integer
        || value instanceof Short
        || value instanceof Byte;
  }

  private static IllegalArgumentException impossible(String key) {
    return new IllegalArgumentException(
        "metadata " + key + " has a value that GGUF has no type for");
  }

  /** The one type of a list's elements; an empty list's is as good as any. */
  private static ValueType elementType(String key, List<?> list) {
    if (all(list, GgufWriter::isWhole)) {
      boolean small = all(list, v -> ((Number) v).longValue() == ((Number) v).intValue());
      return small ? ValueType.INT32 : ValueType.INT64;
    }
    ValueType type = typeOf(key, list.get(0));
    boolean whole = isWhole(list.get(0));
    if (whole || !all(list, element -> typeOf(key, element) == type)) {
      throw impossible(key);
    }
    return type;
  }

  private static boolean all(List<?> list, Predicate<Object> test) {
    return list.stream().allMatch(test);
  }

  private void putValue(String key, ValueType type, Object value) throws IOException {
    switch (type) {
      case STRING -> putString((String) value);
      case BOOL -> room(1).put((byte) ((Boolean) value ? 1 : 0));
      case FLOAT32 -> room(4).putFloat((Float) value);
      case FLOAT64 -> room(8).putDouble((Double) value);
      case UINT32, INT32 -> putInt(((Number) value).intValue());
      case UINT64, INT64 -> putLong(((Number) value).longValue());
      case ARRAY -> {
        List<?> list = (List<?>) value;
        ValueType elementType = elementType(key, list);
        putInt(elementType.ordinal());
        putLong(list.size());
        for (Object element : list) {
          putValue(key, elementType, element);
        }
      }
      default -> throw new IllegalStateException("never written: " + type);
    }
  }

  private void putString(String text) throws IOException {
    byte[] utf8 = text.getBytes(StandardCharsets.UTF_8);
    putLong(utf8.length);
    for (int done = 0; done < utf8.length; ) {
      int count = Math.min(utf8.length - done, BUFFER);
      room(count).put(utf8, done, count);
      done += count;
    }
  }

  private void putInt(int value) throws IOException {
    room(Integer.BYTES).putInt(value);
  }

  private void putLong(long value) throws IOException {
    room(Long.BYTES).putLong(value);
  }

  private ByteBuffer room(int bytes) throws IOException {
    if (header.remaining() < bytes) {
      flush();
    }
    return header;
  }

  private void flush() throws IOException {
    writeAll(header.flip());
    header.clear();
  }

  private void pad() throws IOException {
    long position = channel.position();
    writeAll(ByteBuffer.allocate((int) (aligned(position) - position)));
  }

  private void writeAll(ByteBuffer bytes) throws IOException {
    while (bytes.hasRemaining()) {
      channel.write(bytes);
    }
  }

  private static long aligned(long bytes) {
    return (bytes + GgufReader.DEFAULT_ALIGNMENT - 1) & -GgufReader.DEFAULT_ALIGNMENT;
  }
}
