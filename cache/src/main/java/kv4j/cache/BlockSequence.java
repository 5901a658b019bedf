package kv4j.cache;

import java.util.ArrayList;
import java.util.List;
import kv4j.cache.block.KvBlock;
import kv4j.cache.block.KvLayout;
import kv4j.cache.block.KvSpans;

/**
 * The part that block-based caches share: a sequence that starts on blocks it was given (full ones,
 * shared and never written) and appends what is computed to blocks of its own.
 */
public abstract class BlockSequence implements KvSequence {
  protected final KvLayout layout;
  private final List<KvBlock> blocks = new ArrayList<>();
  private int length;
  private int layersDone;
  private int pendingTokens;
  private KvSpans spans;

  protected BlockSequence(KvLayout layout) {
    this.layout = layout;
  }

  /**
   * Starts on {@code length} tokens that are in place: whole shared blocks, and at most one partly
   * filled last block that belongs to this sequence alone.
   */
  protected final void startOn(List<KvBlock> filled, int length) {
    if (layout.blocksFor(length) != filled.size()) {
      throw new IllegalArgumentException(filled.size() + " blocks for " + length + " tokens");
    }
    blocks.clear();
    blocks.addAll(filled);
    this.length = length;
  }

  @Override
  public final KvLayout layout() {
    return layout;
  }

  @Override
  public int length() {
    return length;
  }

  /** Blocks in order; all full but perhaps the last. */
  protected final List<KvBlock> blocks() {
    return blocks;
  }

  /**
   * Takes other blocks of the same tokens in place of the first ones: whole, shared and not written
   * any more.
   */
  protected final void replaceFirst(List<KvBlock> same) {
    for (int i = 0; i < same.size(); i++) {
      blocks.set(i, same.get(i));
    }
  }

  @Override
  public KvSpans update(int layer, float[] keys, float[] values, int firstRow, int tokens) {
    if (layer != layersDone) {
      throw new IllegalStateException("layer " + layer + " came when " + layersDone + " was due");
    }
    if (layer == 0) {
      pendingTokens = tokens;
      reserve(tokens);
      while (blocks.size() < layout.blocksFor(length + tokens)) {
        blocks.add(newBlock());
      }
      spans = KvSpans.of(blocks, length + tokens);
    } else if (tokens != pendingTokens) {
      throw new IllegalArgumentException(tokens + " tokens after " + pendingTokens);
    }
    for (int row = 0; row < tokens; ) {
      int at = length + row;
      int slot = at % layout.blockTokens();
      int count = Math.min(tokens - row, layout.blockTokens() - slot);
      blocks.get(at / layout.blockTokens()).write(layer, slot, count, keys, values, firstRow + row);
      row += count;
    }
    layersDone = layer + 1;
    if (layersDone == layout.layers()) {
      layersDone = 0;
      length += tokens;
    }
    return spans;
  }

  /** A block of this sequence's own, for tokens to come. */
  protected KvBlock newBlock() {
    return new KvBlock(layout);
  }

  /**
   * Forgets all tokens from position {@code length} on, so that the next pass begins there. If it
   * falls inside a block, that block must be this sequence's own.
   */
  protected final void rewind(int length) {
    if (length < 0 || length > this.length) {
      throw new IllegalArgumentException("cannot rewind " + this.length + " tokens to " + length);
    }
    blocks.subList(layout.blocksFor(length), blocks.size()).clear();
    this.length = length;
    layersDone = 0;
  }

  /** Forgets everything, so that the next pass begins at position 0. */
  protected final void reset() {
    rewind(0);
  }
}
