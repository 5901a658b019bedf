package kv4j.cache;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.Arrays;
import java.util.Random;
import kv4j.cache.block.KvDtype;
import kv4j.cache.block.KvLayout;
import kv4j.cache.block.KvSpans;
import org.junit.jupiter.api.Test;

class RewindTest {
  private static final KvLayout LAYOUT = new KvLayout(2, 1, 2, 4, KvDtype.F32);

  private static final class Sequence extends BlockSequence {
    Sequence() {
      super(LAYOUT);
    }

    KvSpans pass(float[] rows, int from, int to) {
      KvSpans spans = null;
      for (int layer = 0; layer < LAYOUT.layers(); layer++) {
        spans = update(layer, rows, rows, from, to - from);
      }
      return spans;
    }

    @Override
    public Lookup lookup() {
      return new Lookup(0, 0, Lookup.Reason.COLD, "");
    }

    @Override
    public void commit(int[] tokens) {}

    @Override
    public void close() {}
  }

  @Test
  void goesOnFromAnyEarlierPosition() {
    long seed = new Random().nextLong();
    Random random = new Random(seed);
    for (int round = 0; round < 100; round++) {
      float[] first = rows(random, 11);
      float[] second = rows(random, 11);
      int back = random.nextInt(12);
      System.arraycopy(first, 0, second, 0, back * LAYOUT.width());
      Sequence sequence = new Sequence();
      sequence.pass(first, 0, 11);
      sequence.rewind(back);
      assertEquals(back, sequence.length());
      int to = back + random.nextInt(12 - back);
      if (to == back) {
        continue;
      }
      KvSpans spans = sequence.pass(second, back, to);
      assertEquals(to, spans.length());
      float[] keys = new float[to * LAYOUT.width()];
      float[] values = new float[keys.length];
      int at = 0;
      for (int i = 0; i < spans.count(); i++) {
        spans.block(i).read(1, 0, spans.tokens(i), keys, values, at);
        at += spans.tokens(i);
      }
      float[] expected = Arrays.copyOf(second, keys.length);
      assertArrayEquals(expected, keys, "seed " + seed + " round " + round);
      assertArrayEquals(expected, values, "seed " + seed + " round " + round);
      assertEquals(LAYOUT.blocksFor(to), spans.count());
    }
  }

  @Test
  void doesNotGoForward() {
    Sequence sequence = new Sequence();
    sequence.pass(new float[6], 0, 3);
    assertThrows(IllegalArgumentException.class, () -> sequence.rewind(4));
    assertThrows(IllegalArgumentException.class, () -> sequence.rewind(-1));
  }

  private static float[] rows(Random random, int tokens) {
    float[] rows = new float[tokens * LAYOUT.width()];
    for (int i = 0; i < rows.length; i++) {
      rows[i] = random.nextFloat();
    }
    return rows;
  }
}
