package kv4j.cache.index;

import java.util.ArrayList;
import java.util.List;

/** A block whose payload is the tokens themselves, so that what is handed out can be checked. */
final class TestBlock {
  final int[] payload;
  final long weight;

  TestBlock(int blockTokens, long weight) {
    payload = new int[blockTokens];
    this.weight = weight;
  }

  /** What a sequence holds after it went on from a match: blocks of these tokens. */
  static List<TestBlock> compute(
      PrefixIndex.Match<TestBlock> match, int[] tokens, int length, int size) {
    int cached = match.lookup().cachedTokens();
    List<TestBlock> blocks = new ArrayList<>(match.shared());
    for (int at = cached; at < length; at++) {
      if (blocks.size() == at / size) {
        blocks.add(new TestBlock(size, weightOf(blocks.size())));
        if (match.partial() != null && at == cached) {
          int copied = cached % size;
          System.arraycopy(match.partial().payload, 0, blocks.get(at / size).payload, 0, copied);
        }
      }
      blocks.get(at / size).payload[at % size] = tokens[at];
    }
    if (blocks.size() * size < Math.min(cached, length)) {
      TestBlock own = new TestBlock(size, weightOf(blocks.size()));
      System.arraycopy(match.partial().payload, 0, own.payload, 0, cached % size);
      blocks.add(own);
    }
    return blocks;
  }

  /** Blocks differ in weight by where they lie, as a stand-in for layouts that differ. */
  static long weightOf(int index) {
    return 2 + index % 3;
  }

  /** Fails unless a match's blocks hold the tokens that it claims. */
  static void checkContent(PrefixIndex.Match<TestBlock> match, int[] tokens, int size) {
    int cached = match.lookup().cachedTokens();
    int whole = match.shared().size() * size;
    if (whole > cached || cached - whole >= size || (cached > whole) != (match.partial() != null)) {
      throw new AssertionError(cached + " cached tokens, " + whole + " in whole blocks");
    }
    for (int at = 0; at < cached; at++) {
      TestBlock block = at < whole ? match.shared().get(at / size) : match.partial();
      if (block.payload[at % size] != tokens[at]) {
        throw new AssertionError("token " + at + " is " + block.payload[at % size]);
      }
    }
  }
}
