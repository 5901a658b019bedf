package kv4j.cache.block;

import java.nio.ByteBuffer;

/**
 * Keys and values of up to {@link KvLayout#blockTokens()} consecutive tokens in every layer, laid
 * out as {@link KvLayout} says. A block is written by the one sequence that owns it and never
 * changes once it is shared. Elements are rounded to the layout's {@link KvDtype} as they are
 * written.
 */
public final class KvBlock {
  private final KvLayout layout;
  private final KvArray[] keys;
  private final KvArray[] values;

  public KvBlock(KvLayout layout) {
    this.layout = layout;
    keys = new KvArray[layout.layers()];
    values = new KvArray[layout.layers()];
    int vectors = layout.kvHeads() * layout.blockTokens();
    for (int layer = 0; layer < keys.length; layer++) {
      keys[layer] = layout.dtype().newArray(vectors, layout.headDim());
      values[layer] = layout.dtype().newArray(vectors, layout.headDim());
    }
  }

  public KvLayout layout() {
    return layout;
  }

  /**
   * Keys of a layer, {@code [kvHeads, tiles, headDim, tileTokens]}; not a copy.
   *
   * @throws IllegalStateException if the dtype is not {@link KvDtype#F32}
   */
  public float[] keys(int layer) {
    return floats(keys[layer]);
  }

  /**
   * Values of a layer, {@code [kvHeads, blockTokens, headDim]}; not a copy.
   *
   * @throws IllegalStateException if the dtype is not {@link KvDtype#F32}
   */
  public float[] values(int layer) {
    return floats(values[layer]);
  }

  private float[] floats(KvArray array) {
    if (array instanceof KvArray.Floats floats) {
      return floats.elements;
    }
    throw new IllegalStateException("a block of " + layout.dtype() + " has no floats to hand out");
  }

  /**
   * Stores new tokens of one layer.
   *
   * @param slot the block's token slot where the first goes
   * @param tokens how many; {@code slot + tokens} is at most the block's size
   * @param newKeys {@code [.., kvHeads, headDim]}, rows of {@link KvLayout#width()} elements
   * @param newValues the same
   * @param firstRow the row where they begin
   */
  public void write(
      int layer, int slot, int tokens, float[] newKeys, float[] newValues, int firstRow) {
    int headDim = layout.headDim();
    int tile = layout.tileTokens();
    for (int head = 0; head < layout.kvHeads(); head++) {
      for (int t = 0; t < tokens; t++) {
        int source = (firstRow + t) * layout.width() + head * headDim;
        int vector = head * layout.blockTokens() + slot + t;
        keys[layer].put(newKeys, source, headDim, keyAt(head, slot + t), tile, vector);
        values[layer].put(newValues, source, headDim, vector * headDim, 1, vector);
      }
    }
  }

  /**
   * Reads tokens of one layer back into rows, the inverse of {@link #write} but for its rounding.
   *
   * @param keysOut {@code [.., kvHeads, headDim]}
   * @param valuesOut the same
   * @param firstRow the row that receives the token in {@code slot}
   */
  public void read(
      int layer, int slot, int tokens, float[] keysOut, float[] valuesOut, int firstRow) {
    int headDim = layout.headDim();
    int tile = layout.tileTokens();
    for (int head = 0; head < layout.kvHeads(); head++) {
      for (int t = 0; t < tokens; t++) {
        int target = (firstRow + t) * layout.width() + head * headDim;
        int vector = head * layout.blockTokens() + slot + t;
        keys[layer].get(keysOut, target, headDim, keyAt(head, slot + t), tile, vector);
        values[layer].get(valuesOut, target, headDim, vector * headDim, 1, vector);
      }
    }
  }

  /** Where the first dimension of a token's key lies. */
  private int keyAt(int head, int slot) {
    int tile = layout.tileTokens();
    return head * layout.headStride() + slot / tile * tile * layout.headDim() + slot % tile;
  }

  /** Copies the first {@code tokens} tokens of all layers into another block of the same layout. */
  public void copyTo(KvBlock target, int tokens) {
    int valueElements = tokens * layout.headDim();
    for (int layer = 0; layer < layout.layers(); layer++) {
      for (int head = 0; head < layout.kvHeads(); head++) {
        int at = head * layout.headStride();
        int vector = head * layout.blockTokens();
        keys[layer].copyElements(target.keys[layer], at, inWholeTiles(tokens));
        keys[layer].copyScales(target.keys[layer], vector, tokens);
        values[layer].copyElements(target.values[layer], at, valueElements);
        values[layer].copyScales(target.values[layer], vector, tokens);
      }
    }
  }

  /** Elements of the tiles of one head that hold the first {@code tokens} tokens. */
  private int inWholeTiles(int tokens) {
    int tile = layout.tileTokens();
    return (tokens + tile - 1) / tile * tile * layout.headDim();
  }

  /**
   * One head's keys of the first {@code tokens} tokens of a layer as floats, for dtypes that do not
   * keep floats: {@code [tiles, headDim, tileTokens]}, whole tiles.
   *
   * @param out receives them from {@code at} on; room for {@link KvLayout#headStride()} elements
   */
  public void expandKeys(
      int layer, int head, int tokens, KvExpander expander, float[] out, int at) {
    int headDim = layout.headDim();
    int tile = layout.tileTokens();
    for (int t = 0; t < tokens; t += tile) {
      int vector = head * layout.blockTokens() + t;
      keys[layer].expandTile(
          expander, vector * headDim, headDim, tile, vector, out, at + t * headDim);
    }
  }

  /** The same for values: {@code [tokens, headDim]}. */
  public void expandValues(
      int layer, int head, int tokens, KvExpander expander, float[] out, int at) {
    int vector = head * layout.blockTokens();
    values[layer].expandValues(
        expander, head * layout.headStride(), tokens, layout.headDim(), vector, out, at);
  }

  /**
   * The block in a layout of another dtype, rounded to it; this block itself if it is the same.
   *
   * @param other differs in nothing but the dtype
   */
  KvBlock in(KvLayout other) {
    if (other.equals(layout)) {
      return this;
    }
    KvBlock converted = new KvBlock(other);
    int tokens = layout.blockTokens();
    float[] keyRows = new float[tokens * layout.width()];
    float[] valueRows = new float[keyRows.length];
    for (int layer = 0; layer < layout.layers(); layer++) {
      read(layer, 0, tokens, keyRows, valueRows, 0);
      converted.write(layer, 0, tokens, keyRows, valueRows, 0);
    }
    return converted;
  }

  /** All layers' keys and values, {@link KvLayout#bytesPerBlock()} bytes. */
  void writeTo(ByteBuffer out) {
    for (int layer = 0; layer < keys.length; layer++) {
      keys[layer].writeTo(out);
      values[layer].writeTo(out);
    }
  }

  /** Reads what {@link #writeTo} wrote. */
  void readFrom(ByteBuffer in) {
    for (int layer = 0; layer < keys.length; layer++) {
      keys[layer].readFrom(in);
      values[layer].readFrom(in);
    }
  }
}
