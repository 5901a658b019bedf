package kv4j.model.format;

import java.math.BigInteger;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.AbstractList;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.RandomAccess;

/**
 * Reads a GGUF header from start to end. Nothing is allocated by a number in the file before the
 * file is seen to be long enough for it.
 */
final class GgufCursor {
  /** Several times the header of any model known, vocabulary and merges included. */
  private static final long MAX_HEADER = 1 << 26;

  private static final int MAX_NESTING = 4;

  private final StoredFile file;
  private final long end;
  private final ByteBuffer window;
  private long windowEnd;

  GgufCursor(StoredFile file) {
    this.file = file;
    end = Math.min(file.size(), MAX_HEADER);
    window = ByteBuffer.allocate((int) Math.min(end, 1 << 16)).order(ByteOrder.LITTLE_ENDIAN);
    window.limit(0);
  }

  /** Offset in the file of the next byte. */
  long position() {
    return windowEnd - window.remaining();
  }

  int int32(String what) {
    return next(4, what).getInt();
  }

  long int64(String what) {
    return next(8, what).getLong();
  }

  /**
   * A number of things that follow.
   *
   * @param each bytes that each takes at least
   */
  int count(String what, int each) {
    long count = int64(what);
    if (count < 0 || count > (end - position()) / each) {
      throw file.wrong(
          "its " + what + ", " + Long.toUnsignedString(count) + ", is more than fits in " + room());
    }
    return (int) count;
  }

  String string(String what) {
    byte[] utf8 = bytes(count("length of " + what, 1), what);
    return new String(utf8, StandardCharsets.UTF_8);
  }

  /** A metadata value with its type before it. */
  Object value(String what) {
    return value(type(what), what, 0);
  }

  private Object value(ValueType type, String what, int depth) {
    return switch (type) {
      case STRING -> string(what);
      case ARRAY -> array(what, depth + 1);
      default -> type.get(ByteBuffer.wrap(bytes(type.bytes(), what)).order(window.order()), 0);
    };
  }

  private List<Object> array(String what, int depth) {
    if (depth > MAX_NESTING) {
      throw file.wrong(what + " is nested more than " + MAX_NESTING + " deep");
    }
    ValueType type = type(what);
    if (type.bytes() > 0) {
      byte[] packed = bytes(count("length of " + what, type.bytes()) * type.bytes(), what);
      return new PackedList(type, ByteBuffer.wrap(packed).order(ByteOrder.LITTLE_ENDIAN));
    }
    int count = count("length of " + what, type == ValueType.STRING ? 8 : 12);
    List<Object> values = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      values.add(value(type, what, depth));
    }
    return Collections.unmodifiableList(values);
  }

  private ValueType type(String what) {
    int id = int32("type of " + what);
    ValueType type = ValueType.ofId(id);
    if (type == null) {
      throw file.wrong(what + " has the unknown type " + Integer.toUnsignedString(id));
    }
    return type;
  }

  private byte[] bytes(int count, String what) {
    requireLeft(count, what);
    byte[] bytes = new byte[count];
    int buffered = Math.min(count, window.remaining());
    window.get(bytes, 0, buffered);
    file.copy(windowEnd, ByteBuffer.wrap(bytes, buffered, count - buffered));
    windowEnd += count - buffered;
    return bytes;
  }

  private ByteBuffer next(int bytes, String what) {
    requireLeft(bytes, what);
    if (window.remaining() < bytes) {
      long from = position();
      window.clear().limit((int) Math.min(window.capacity(), end - from));
      file.copy(from, window);
      windowEnd = from + window.flip().remaining();
    }
    return window;
  }

  private void requireLeft(int bytes, String what) {
    if (bytes > end - position()) {
      throw file.wrong("the " + what + " is not all in " + room());
    }
  }

  private String room() {
    return end == file.size()
        ? "the file's " + end + " bytes"
        : "a header of " + MAX_HEADER + " bytes, the most supported";
  }

  /**
   * Values of a fixed size as they are in the file, so that they take no more memory than there.
   */
  private static final class PackedList extends AbstractList<Object> implements RandomAccess {
    private final ValueType type;
    private final ByteBuffer values;

    PackedList(ValueType type, ByteBuffer values) {
      this.type = type;
      this.values = values;
    }

    @Override
    public Object get(int index) {
      return type.get(values, Math.multiplyExact(index, type.bytes()));
    }

    @Override
    public int size() {
      return values.capacity() / type.bytes();
    }
  }

  /** Types of GGUF's metadata values; a constant's ordinal is the type's number in the file. */
  enum ValueType {
    UINT8(1),
    INT8(1),
    UINT16(2),
    INT16(2),
    UINT32(4),
    INT32(4),
    FLOAT32(4),
    BOOL(1),
    STRING(0),
    ARRAY(0),
    UINT64(8),
    INT64(8),
    FLOAT64(8);

    private static final ValueType[] TYPES = values();

    private final int bytes;

    ValueType(int bytes) {
      this.bytes = bytes;
    }

    /** The type of a number, or {@code null}. */
    static ValueType ofId(int id) {
      return id >= 0 && id < TYPES.length ? TYPES[id] : null;
    }

    /** Bytes of a value, or 0 if they vary. */
    int bytes() {
      return bytes;
    }

    /**
     * The value at an index of a little-endian buffer, for a type of a fixed size: whole numbers as
     * {@link Long}, unless one is too large for it.
     */
    Object get(ByteBuffer in, int at) {
      return switch (this) {
        case UINT8 -> in.get(at) & 0xFFL;
        case INT8 -> (long) in.get(at);
        case UINT16 -> in.getShort(at) & 0xFFFFL;
        case INT16 -> (long) in.getShort(at);
        case UINT32 -> in.getInt(at) & 0xFFFFFFFFL;
        case INT32 -> (long) in.getInt(at);
        case FLOAT32 -> in.getFloat(at);
        case BOOL -> in.get(at) != 0;
        case UINT64 -> unsigned(in.getLong(at));
        case INT64 -> in.getLong(at);
        case FLOAT64 -> in.getDouble(at);
        case STRING, ARRAY -> throw new IllegalStateException(this + " has no fixed size");
      };
    }

    private static Number unsigned(long value) {
      if (value >= 0) {
        return value;
      }
      return new BigInteger(Long.toUnsignedString(value));
    }
  }
}
