package kv4j.cache.block;

import java.util.Arrays;
import java.util.List;

/**
 * What the new tokens of one sequence may attend to: an ordered list of spans over blocks. Span
 * {@code i} is the first {@code tokens(i)} tokens of {@code block(i)}. The last {@code n} tokens of
 * the last spans are the {@code n} new tokens themselves: new token {@code r} sees everything up to
 * and including itself. Immutable; valid until the sequence's next pass.
 */
public final class KvSpans {
  private final KvBlock[] blocks;
  private final int[] tokens;
  private final int length;

  private KvSpans(KvBlock[] blocks, int[] tokens) {
    this.blocks = blocks;
    this.tokens = tokens;
    int sum = 0;
    for (int count : tokens) {
      sum += count;
    }
    length = sum;
  }

  /** All blocks full but the last, {@code length} tokens together. */
  public static KvSpans of(List<KvBlock> blocks, int length) {
    int[] tokens = new int[blocks.size()];
    int left = length;
    for (int i = 0; i < tokens.length; i++) {
      tokens[i] = Math.min(left, blocks.get(i).layout().blockTokens());
      left -= tokens[i];
    }
    if (left != 0) {
      throw new IllegalArgumentException(blocks.size() + " blocks do not hold " + length);
    }
    return new KvSpans(blocks.toArray(KvBlock[]::new), tokens);
  }

  /** Spans over the first {@code tokens[i]} tokens of {@code blocks.get(i)}. */
  public static KvSpans of(List<KvBlock> blocks, int[] tokens) {
    if (blocks.size() != tokens.length) {
      throw new IllegalArgumentException(
          blocks.size() + " blocks but " + tokens.length + " counts");
    }
    return new KvSpans(blocks.toArray(KvBlock[]::new), tokens.clone());
  }

  /** The spans from one on to before another. */
  public KvSpans slice(int from, int to) {
    return new KvSpans(Arrays.copyOfRange(blocks, from, to), Arrays.copyOfRange(tokens, from, to));
  }

  /** Number of spans. */
  public int count() {
    return blocks.length;
  }

  public KvBlock block(int span) {
    return blocks[span];
  }

  /** Tokens of a span, counted from the block's beginning. */
  public int tokens(int span) {
    return tokens[span];
  }

  /** Tokens of all spans together. */
  public int length() {
    return length;
  }
}
