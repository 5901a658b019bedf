package kv4j.cache.contract;

import kv4j.cache.KvSequence;
import kv4j.cache.block.KvBlock;
import kv4j.cache.block.KvLayout;
import kv4j.cache.block.KvSpans;

/**
 * Stands in for a model: keys and values that tell which token they are of, at which position and
 * after which others, so that a wrong one cannot be taken for a right one.
 */
final class Content {
  private final KvLayout layout;

  Content(KvLayout layout) {
    this.layout = layout;
  }

  /**
   * Computes a sequence up to a length, in passes of at most {@code chunk} tokens, and checks all
   * that it is given to attend to.
   */
  void compute(KvSequence sequence, int[] tokens, int length, int chunk) {
    compute(sequence, tokens, length, chunk, () -> {});
  }

  /** The same, with something to do after each layer. */
  void compute(KvSequence sequence, int[] tokens, int length, int chunk, Runnable afterLayer) {
    for (int from = sequence.begin(); from < length; from = sequence.length()) {
      int count = Math.min(chunk, length - from);
      for (int layer = 0; layer < layout.layers(); layer++) {
        update(sequence, tokens, from, count, layer);
        afterLayer.run();
      }
      Contract.require(
          sequence.length() == from + count,
          "length() is " + sequence.length() + " after a pass up to " + (from + count));
    }
  }

  /** One layer of a pass. */
  void update(KvSequence sequence, int[] tokens, int from, int count, int layer) {
    float[] keys = rows(tokens, from, count, layer, 1);
    float[] values = rows(tokens, from, count, layer, -1);
    check(sequence.update(layer, keys, values, 0, count), tokens, from + count, layer);
  }

  private float[] rows(int[] tokens, int from, int count, int layer, int sign) {
    float[] rows = new float[count * layout.width()];
    for (int i = 0; i < rows.length; i++) {
      int position = from + i / layout.width();
      rows[i] = sign * element(tokens, position, layer, i % layout.width());
    }
    return rows;
  }

  /**
   * A number from 1 to 2 that depends on all tokens up to this position, so that different
   * sequences nearly always have different ones.
   */
  private static float element(int[] tokens, int position, int layer, int element) {
    int hash = 31 * layer + element;
    for (int i = 0; i <= position; i++) {
      hash = hash * 0x9E3779B1 + tokens[i];
    }
    return 1 + (hash >>> 8) / (float) (1 << 24);
  }

  private void check(KvSpans spans, int[] tokens, int length, int layer) {
    Contract.require(
        spans.length() == length, "spans of " + spans.length() + " tokens, not " + length);
    float[] keys = new float[length * layout.width()];
    float[] values = new float[keys.length];
    for (int span = 0, row = 0; span < spans.count(); row += spans.tokens(span++)) {
      spans.block(span).read(layer, 0, spans.tokens(span), keys, values, row);
    }
    float[] expectedKeys = rounded(layer, rows(tokens, 0, length, layer, 1));
    float[] expectedValues = rounded(layer, rows(tokens, 0, length, layer, -1));
    for (int i = 0; i < keys.length; i++) {
      Contract.require(
          keys[i] == expectedKeys[i] && values[i] == expectedValues[i],
          "layer " + layer + " has another key or value for token " + i / layout.width());
    }
  }

  /** As the layout's dtype keeps them. */
  private float[] rounded(int layer, float[] rows) {
    int tokens = rows.length / layout.width();
    float[] keys = new float[rows.length];
    float[] values = new float[rows.length];
    for (int from = 0; from < tokens; from += layout.blockTokens()) {
      int count = Math.min(layout.blockTokens(), tokens - from);
      KvBlock block = new KvBlock(layout);
      block.write(layer, 0, count, rows, rows, from);
      block.read(layer, 0, count, keys, values, from);
    }
    return values;
  }
}
