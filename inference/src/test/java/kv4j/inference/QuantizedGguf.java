package kv4j.inference;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Random;
import kv4j.model.format.TensorSource;
import kv4j.model.format.block.TensorType;

/**
 * Writes a model's matrices in a quantized type. The two types of 16 bits get the model's values;
 * blocks get random contents, of scales that make them as large as the values were. Where a row of
 * the model is zero, so is the one written.
 */
final class QuantizedGguf {
  private static final int ALIGNMENT = 32;
  private static final int UINT32 = 4;
  private static final int INT32 = 5;
  private static final int SAMPLE_BLOCKS = 200;

  private final TensorType type;
  private final Random random;

  private QuantizedGguf(TensorType type, Random random) {
    this.type = type;
    this.random = random;
  }

  static void write(TensorSource model, TensorType type, Random random, Path file)
      throws IOException {
    new QuantizedGguf(type, random).write(model, file);
  }

  private void write(TensorSource model, Path file) throws IOException {
    ByteArrayOutputStream header = new ByteArrayOutputStream();
    header.writeBytes("GGUF".getBytes(StandardCharsets.US_ASCII));
    put(header, 4, 3);
    put(header, 8, model.tensorNames().size());
    put(header, 8, model.metadata().size());
    for (Map.Entry<String, Object> pair : model.metadata().entrySet()) {
      putString(header, pair.getKey());
      putValue(header, pair.getValue());
    }
    ByteArrayOutputStream data = new ByteArrayOutputStream();
    for (String name : model.tensorNames()) {
      long[] shape = model.shape(name);
      TensorType stored = shape.length == 1 ? TensorType.F32 : type;
      putString(header, name);
      put(header, 4, shape.length);
      for (int d = shape.length - 1; d >= 0; d--) {
        put(header, 8, shape[d]);
      }
      put(header, 4, stored.id());
      put(header, 8, data.size());
      float[] values = new float[(int) model.elements(name)];
      model.read(name, FloatBuffer.wrap(values));
      data.writeBytes(encode(stored, values, (int) shape[shape.length - 1]));
      pad(data);
    }
    pad(header);
    header.writeBytes(data.toByteArray());
    Files.write(file, header.toByteArray());
  }

  private byte[] encode(TensorType stored, float[] values, int rowLength) {
    int bytes = values.length / stored.blockElements() * stored.blockBytes();
    ByteBuffer out = ByteBuffer.allocate(bytes).order(ByteOrder.LITTLE_ENDIAN);
    switch (stored) {
      case F32 -> out.asFloatBuffer().put(values);
      case F16 -> {
        for (float value : values) {
          out.putShort(half(value));
        }
      }
      case BF16 -> {
        for (float value : values) {
          out.putShort((short) (Float.floatToRawIntBits(value) >>> 16));
        }
      }
      default -> {
        float scale = size(values) / unitSize();
        for (int at = 0; at < values.length; at += stored.blockElements()) {
          boolean zero = values[at / rowLength * rowLength] == 0;
          out.put(zero ? new byte[stored.blockBytes()] : block(scale));
        }
      }
    }
    return out.array();
  }

  /** Size of the elements of random blocks of scale 1. */
  private float unitSize() {
    ByteBuffer blocks =
        ByteBuffer.allocate(SAMPLE_BLOCKS * type.blockBytes()).order(ByteOrder.LITTLE_ENDIAN);
    for (int i = 0; i < SAMPLE_BLOCKS; i++) {
      blocks.put(block(1));
    }
    float[] values = new float[SAMPLE_BLOCKS * type.blockElements()];
    type.expand(blocks.flip(), FloatBuffer.wrap(values));
    return size(values);
  }

  /** Root mean square of the values that are not zero. */
  private static float size(float[] values) {
    double sum = 0;
    int count = 0;
    for (float value : values) {
      sum += value * value;
      count += value == 0 ? 0 : 1;
    }
    return (float) Math.sqrt(sum / count);
  }

  /** A block of random integers whose values are around zero. */
  private byte[] block(float scale) {
    byte[] bytes = new byte[type.blockBytes()];
    random.nextBytes(bytes);
    ByteBuffer block = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
    block.putShort(type == TensorType.Q6_K ? 208 : 0, half(scale));
    switch (type) {
      case Q4_1 -> block.putShort(2, half(-7.5f * scale));
      case Q5_1 -> block.putShort(2, half(-15.5f * scale));
      case Q4_K -> block.putShort(2, half(7.5f * scale));
      case Q5_K -> block.putShort(2, half(15.5f * scale));
      default -> {}
    }
    return bytes;
  }

  /** Rounded towards zero; what is too small for a normal number is a multiple of 2^-24. */
  private static short half(float value) {
    int bits = Float.floatToRawIntBits(value);
    int sign = bits >>> 16 & 0x8000;
    int magnitude =
        Math.abs(value) < 0x1p-14f
            ? (int) (Math.abs(value) * 0x1p24f)
            : ((bits & 0x7FFFFFFF) >>> 13) - (112 << 10);
    return (short) (sign | magnitude);
  }

  private static void putValue(ByteArrayOutputStream out, Object value) {
    if (value instanceof List<?> list) {
      put(out, 4, 9);
      int type = typeOf(list.get(0));
      put(out, 4, type == UINT32 ? INT32 : type);
      put(out, 8, list.size());
      list.forEach(element -> putBare(out, element));
    } else {
      put(out, 4, typeOf(value));
      putBare(out, value);
    }
  }

  private static int typeOf(Object value) {
    return value instanceof String
        ? 8
        : value instanceof Boolean ? 7 : value instanceof Float ? 6 : UINT32;
  }

  private static void putBare(ByteArrayOutputStream out, Object value) {
    switch (typeOf(value)) {
      case 8 -> putString(out, (String) value);
      case 7 -> put(out, 1, (Boolean) value ? 1 : 0);
      case 6 -> put(out, 4, Float.floatToRawIntBits((Float) value));
      default -> put(out, 4, ((Number) value).longValue());
    }
  }

  private static void putString(ByteArrayOutputStream out, String text) {
    byte[] utf8 = text.getBytes(StandardCharsets.UTF_8);
    put(out, 8, utf8.length);
    out.writeBytes(utf8);
  }

  private static void put(ByteArrayOutputStream out, int bytes, long value) {
    for (int i = 0; i < bytes; i++) {
      out.write((int) (value >>> 8 * i));
    }
  }

  private static void pad(ByteArrayOutputStream out) {
    while (out.size() % ALIGNMENT != 0) {
      out.write(0);
    }
  }
}
