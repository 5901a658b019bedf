package kv4j.cache.block;

/**
 * Keys and values of up to {@link KvLayout#blockTokens()} consecutive tokens in every layer, laid
 * out as {@link KvLayout} says. A block is written by the one sequence that owns it and never
 * changes once it is shared.
 */
public final class KvBlock {
  private final KvLayout layout;
  private final float[][] keys;
  private final float[][] values;

  public KvBlock(KvLayout layout) {
    this.layout = layout;
    int elements = layout.blockTokens() * layout.width();
    keys = new float[layout.layers()][elements];
    values = new float[layout.layers()][elements];
  }

  public KvLayout layout() {
    return layout;
  }

  /** Keys of a layer, {@code [kvHeads, tiles, headDim, tileTokens]}; not a copy. */
  public float[] keys(int layer) {
    return keys[layer];
  }

  /** Values of a layer, {@code [kvHeads, blockTokens, headDim]}; not a copy. */
  public float[] values(int layer) {
    return values[layer];
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
    int width = layout.width();
    int tile = layout.tileTokens();
    for (int head = 0; head < layout.kvHeads(); head++) {
      int base = head * layout.headStride();
      for (int t = 0; t < tokens; t++) {
        int source = (firstRow + t) * width + head * headDim;
        int at = slot + t;
        System.arraycopy(newValues, source, values[layer], base + at * headDim, headDim);
        int key = base + at / tile * tile * headDim + at % tile;
        for (int d = 0; d < headDim; d++) {
          keys[layer][key + d * tile] = newKeys[source + d];
        }
      }
    }
  }

  /** Copies the first {@code tokens} tokens of all layers into another block of the same layout. */
  public void copyTo(KvBlock target, int tokens) {
    int tile = layout.tileTokens();
    int wholeTiles = (tokens + tile - 1) / tile * tile * layout.headDim();
    int valueElements = tokens * layout.headDim();
    for (int layer = 0; layer < layout.layers(); layer++) {
      for (int head = 0; head < layout.kvHeads(); head++) {
        int base = head * layout.headStride();
        System.arraycopy(keys[layer], base, target.keys[layer], base, wholeTiles);
        System.arraycopy(values[layer], base, target.values[layer], base, valueElements);
      }
    }
  }

  /**
   * Reads tokens of one layer back into rows, the inverse of {@link #write}.
   *
   * @param keysOut {@code [.., kvHeads, headDim]}
   * @param valuesOut the same
   * @param firstRow the row that receives the token in {@code slot}
   */
  public void read(
      int layer, int slot, int tokens, float[] keysOut, float[] valuesOut, int firstRow) {
    int headDim = layout.headDim();
    int width = layout.width();
    int tile = layout.tileTokens();
    for (int head = 0; head < layout.kvHeads(); head++) {
      int base = head * layout.headStride();
      for (int t = 0; t < tokens; t++) {
        int target = (firstRow + t) * width + head * headDim;
        int at = slot + t;
        System.arraycopy(values[layer], base + at * headDim, valuesOut, target, headDim);
        int key = base + at / tile * tile * headDim + at % tile;
        for (int d = 0; d < headDim; d++) {
          keysOut[target + d] = keys[layer][key + d * tile];
        }
      }
    }
  }
}
