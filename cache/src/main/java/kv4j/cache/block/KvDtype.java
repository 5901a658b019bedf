package kv4j.cache.block;

import java.util.Arrays;
import java.util.Locale;
import java.util.stream.Collectors;

/**
 * How many bits a cache keeps of each key and value. Elements are rounded, to the nearest and
 * halves to even, as they enter a block, so everything that reads them reads the same.
 */
public enum KvDtype {
  /** 32-bit floats, exact. */
  F32(4, 0) {
    @Override
    KvArray newArray(int vectors, int headDim) {
      return new KvArray.Floats(vectors * headDim);
    }
  },
  /** IEEE 754 half precision: 11 significant bits, largest 65504 (beyond it infinity). */
  F16(2, 0) {
    @Override
    KvArray newArray(int vectors, int headDim) {
      return new KvArray.Shorts(vectors * headDim, false);
    }
  },
  /** The upper half of a 32-bit float: its range, 8 significant bits. */
  BF16(2, 0) {
    @Override
    KvArray newArray(int vectors, int headDim) {
      return new KvArray.Shorts(vectors * headDim, true);
    }
  },
  /** Whole numbers from -127 to 127 times a 32-bit scale per token and head. */
  I8(1, 4) {
    @Override
    KvArray newArray(int vectors, int headDim) {
      return new KvArray.Bytes(vectors * headDim, vectors);
    }
  };

  private final int bytesPerElement;
  private final int bytesPerScale;

  KvDtype(int bytesPerElement, int bytesPerScale) {
    this.bytesPerElement = bytesPerElement;
    this.bytesPerScale = bytesPerScale;
  }

  /**
   * The dtype of a name as {@code f16}, in either case.
   *
   * @throws IllegalArgumentException if there is none
   */
  public static KvDtype parse(String name) {
    for (KvDtype dtype : values()) {
      if (dtype.toString().equalsIgnoreCase(name)) {
        return dtype;
      }
    }
    throw new IllegalArgumentException(
        "there is no cache dtype named "
            + name
            + "; there are "
            + Arrays.stream(values()).map(KvDtype::toString).collect(Collectors.joining(", ")));
  }

  /** The name in lower case, as {@link #parse} takes it. */
  @Override
  public String toString() {
    return name().toLowerCase(Locale.ROOT);
  }

  /** Bytes one key or value element takes, without scales. */
  public int bytesPerElement() {
    return bytesPerElement;
  }

  /** Bytes of scale that one head's key (or value) of one token takes. */
  public int bytesPerScale() {
    return bytesPerScale;
  }

  /** Room for {@code vectors} keys or values of one head. */
  abstract KvArray newArray(int vectors, int headDim);
}
