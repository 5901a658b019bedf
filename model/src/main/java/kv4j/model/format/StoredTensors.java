package kv4j.model.format;

import static kv4j.model.format.ModelFileException.printable;

import java.nio.ByteBuffer;
import java.nio.FloatBuffer;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import kv4j.model.format.block.TensorType;

/** Tensors that lie in files: what every format comes down to once its header is read. */
final class StoredTensors implements TensorSource {
  /** The most dimensions a tensor has in any of the formats' models. */
  static final int MAX_RANK = 4;

  private final String format;
  private final String origin;
  private final Map<String, Object> metadata;
  private final Map<String, Entry> entries;
  private final List<StoredFile> files;

  /**
   * @param files what to close in the end
   */
  StoredTensors(
      String format,
      String origin,
      Map<String, Object> metadata,
      Map<String, Entry> entries,
      List<StoredFile> files) {
    this.format = format;
    this.origin = origin;
    this.metadata = Collections.unmodifiableMap(metadata);
    this.entries = Collections.unmodifiableMap(new LinkedHashMap<>(entries));
    this.files = List.copyOf(files);
  }

  /**
   * Where a tensor lies.
   *
   * @param type {@code null} if it is not supported
   * @param dtype the format's name of the type
   * @param shape sizes, the outermost first
   * @param at offset of the first byte in the file
   * @param bytes length in the file
   */
  record Entry(StoredFile file, TensorType type, String dtype, long[] shape, long at, long bytes) {

    /**
     * An entry of a supported type, all of which is in the file.
     *
     * @param at offset of the first byte in the file, not yet checked
     * @throws ModelFileException if not
     */
    static Entry checked(StoredFile file, String name, TensorType type, long[] shape, long at) {
      String tensor = "tensor " + printable(name);
      long elements = 1;
      for (long size : shape) {
        if (size < 1) {
          throw file.wrong(tensor + " has a dimension of " + Long.toUnsignedString(size));
        }
        // No type has two elements in a byte, so this rules out an overflow.
        if (size > 2 * file.size() / elements) {
          throw file.wrong(tensor + " has more elements than fit in the file");
        }
        elements *= size;
      }
      int block = type.blockElements();
      if (rowLength(shape) % block != 0) {
        throw file.wrong(
            tensor
                + " has rows of "
                + rowLength(shape)
                + ", but "
                + type
                + " is in "
                + block
                + "s");
      }
      long bytes = elements / block * type.blockBytes();
      if (at < 0 || bytes > file.size() || at > file.size() - bytes) {
        throw file.wrong(
            tensor
                + " of "
                + bytes
                + " bytes at offset "
                + Long.toUnsignedString(at)
                + " is not within the file's "
                + file.size()
                + " bytes");
      }
      return new Entry(file, type, type.name(), shape, at, bytes);
    }

    private static long rowLength(long[] shape) {
      return shape.length == 0 ? 1 : shape[shape.length - 1];
    }
  }

  /**
   * Checks that no two of a file's tensors share bytes.
   *
   * @throws ModelFileException if two do
   */
  static void requireDisjoint(StoredFile file, Map<String, Entry> entries) {
    List<Map.Entry<String, Entry>> inOrder = new ArrayList<>(entries.entrySet());
    inOrder.sort(Comparator.comparingLong(named -> named.getValue().at()));
    for (int i = 1; i < inOrder.size(); i++) {
      Entry before = inOrder.get(i - 1).getValue();
      if (before.at() + before.bytes() > inOrder.get(i).getValue().at()) {
        throw file.wrong(
            "tensors "
                + printable(inOrder.get(i - 1).getKey())
                + " and "
                + printable(inOrder.get(i).getKey())
                + " overlap");
      }
    }
  }

  @Override
  public String format() {
    return format;
  }

  @Override
  public String origin() {
    return origin;
  }

  @Override
  public Map<String, Object> metadata() {
    return metadata;
  }

  @Override
  public Set<String> tensorNames() {
    return entries.keySet();
  }

  @Override
  public long[] shape(String name) {
    return entry(name).shape().clone();
  }

  @Override
  public String dtype(String name) {
    return entry(name).dtype();
  }

  @Override
  public TensorType type(String name) {
    Entry entry = entry(name);
    if (entry.type() == null) {
      throw new ModelFileException(
          origin, "tensor " + printable(name) + " has the unsupported type " + entry.dtype());
    }
    return entry.type();
  }

  @Override
  public void readRows(String name, long firstRow, FloatBuffer out) {
    TensorType type = type(name);
    Entry entry = entry(name);
    long rowLength = Entry.rowLength(entry.shape());
    long rows = rows(name, firstRow, out.remaining(), rowLength);
    long rowBytes = rowLength / type.blockElements() * type.blockBytes();
    entry
        .file()
        .read(
            entry.at() + firstRow * rowBytes,
            rows * rowBytes,
            type.blockBytes(),
            in -> type.expand(in, out));
  }

  @Override
  public void readStored(String name, long firstRow, ByteBuffer out) {
    TensorType type = type(name);
    Entry entry = entry(name);
    long rowBytes = Entry.rowLength(entry.shape()) / type.blockElements() * type.blockBytes();
    rows(name, firstRow, out.remaining(), rowBytes);
    entry.file().copy(entry.at() + firstRow * rowBytes, out);
  }

  /** How many rows fit some room, which is to be so many whole ones, all in the tensor. */
  private long rows(String name, long firstRow, long room, long ofRow) {
    long[] shape = entry(name).shape();
    long all = elements(name) / Entry.rowLength(shape);
    if (room % ofRow != 0 || firstRow < 0 || firstRow > all - room / ofRow) {
      throw new IllegalArgumentException(
          "tensor %s has %d rows of %d, so there are no %d rows from row %d"
              .formatted(name, all, Entry.rowLength(shape), room / ofRow, firstRow));
    }
    return room / ofRow;
  }

  @Override
  public void close() {
    files.forEach(StoredFile::close);
  }

  private Entry entry(String name) {
    Entry entry = entries.get(name);
    if (entry == null) {
      throw new ModelFileException(origin, "there is no tensor " + printable(name));
    }
    return entry;
  }
}
