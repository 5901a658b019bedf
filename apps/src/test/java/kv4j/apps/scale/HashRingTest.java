package kv4j.apps.scale;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class HashRingTest {
  private static final int NODES = 10;

  private final HashRing ring = new HashRing(NODES);
  private final long[] keys = new SplittableRandom(1).longs(20_000).toArray();

  private int[] owners(int without) {
    return Arrays.stream(keys).mapToInt(key -> ring.find(key, node -> node != without)).toArray();
  }

  @Test
  void nodesHaveAboutEqualShares() {
    int[] counts = new int[NODES];
    for (int owner : owners(-1)) {
      counts[owner]++;
    }
    int mean = keys.length / NODES;
    assertTrue(
        IntStream.of(counts).allMatch(count -> count > 0.75 * mean && count < 1.25 * mean),
        Arrays.toString(counts));
  }

  @Test
  void onlyALostNodesKeysMoveAndToAllOthers() {
    int[] before = owners(-1);
    int[] after = owners(3);
    int[] heirs = new int[NODES];
    for (int i = 0; i < keys.length; i++) {
      if (before[i] == 3) {
        heirs[after[i]]++;
      } else {
        assertEquals(before[i], after[i]);
      }
    }
    assertEquals(0, heirs[3]);
    assertEquals(NODES - 1, IntStream.of(heirs).filter(count -> count > 0).count());
  }

  @Test
  void aLostNodesKeysAreTheNextOwners() {
    for (long key : keys) {
      int[] owners = ring.owners(key, 3);
      assertEquals(3, IntStream.of(owners).distinct().count());
      assertEquals(owners[0], ring.find(key, node -> true));
      assertEquals(owners[1], ring.find(key, node -> node != owners[0]));
    }
    assertArrayEquals(new int[] {0}, new HashRing(1).owners(5, 2));
  }
}
