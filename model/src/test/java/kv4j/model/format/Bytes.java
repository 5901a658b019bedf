package kv4j.model.format;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;

/** Builds files byte by byte, lower bytes first, with GGUF's way to write strings. */
final class Bytes {
  private final ByteArrayOutputStream out = new ByteArrayOutputStream();

  Bytes raw(byte... bytes) {
    out.writeBytes(bytes);
    return this;
  }

  Bytes ascii(String text) {
    return raw(text.getBytes(StandardCharsets.US_ASCII));
  }

  Bytes i16(int value) {
    return raw(buffer(2).putShort((short) value).array());
  }

  Bytes i32(int... values) {
    for (int value : values) {
      raw(buffer(4).putInt(value).array());
    }
    return this;
  }

  Bytes i64(long... values) {
    for (long value : values) {
      raw(buffer(8).putLong(value).array());
    }
    return this;
  }

  Bytes f32(float... values) {
    for (float value : values) {
      raw(buffer(4).putFloat(value).array());
    }
    return this;
  }

  Bytes f64(double value) {
    return raw(buffer(8).putDouble(value).array());
  }

  Bytes string(String text) {
    byte[] utf8 = text.getBytes(StandardCharsets.UTF_8);
    return i64(utf8.length).raw(utf8);
  }

  /** Zeros up to a multiple. */
  Bytes pad(int alignment) {
    while (out.size() % alignment != 0) {
      out.write(0);
    }
    return this;
  }

  byte[] array() {
    return out.toByteArray();
  }

  private static ByteBuffer buffer(int size) {
    return ByteBuffer.allocate(size).order(ByteOrder.LITTLE_ENDIAN);
  }
}
