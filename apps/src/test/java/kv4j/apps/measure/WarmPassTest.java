package kv4j.apps.measure;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import kv4j.cache.KvSequence;
import kv4j.cache.block.KvDtype;
import kv4j.cache.block.KvLayout;
import org.junit.jupiter.api.Test;

class WarmPassTest {
  private static final KvLayout LAYOUT = new KvLayout(2, 1, 2, 4, KvDtype.F32);

  private final List<String> passes = new ArrayList<>();
  private final WarmPass warmPass = new WarmPass(this::forward, LAYOUT);

  private void forward(KvSequence sequence, int[] tokens, int from, int to) {
    assertEquals(from, sequence.length());
    passes.add(from + "-" + to);
    float[] rows = new float[(to - from) * LAYOUT.width()];
    for (int layer = 0; layer < LAYOUT.layers(); layer++) {
      sequence.update(layer, rows, rows, 0, to - from);
    }
  }

  private List<String> passesOf(int from, int... prompt) {
    passes.clear();
    assertTrue(warmPass.millis(prompt, from) >= 0);
    return List.copyOf(passes);
  }

  @Test
  void whatIsInPlaceIsNotComputedAgain() {
    assertEquals(List.of("0-3", "3-5"), passesOf(3, 1, 2, 3, 4, 5));
    assertEquals(List.of("3-6"), passesOf(3, 1, 2, 3, 9, 9, 9), "the same beginning");
    assertEquals(List.of("3-4", "4-6"), passesOf(4, 1, 2, 3, 4, 5, 6), "a later cut");
    assertEquals(List.of("1-3", "3-5"), passesOf(3, 1, 7, 3, 4, 5), "another beginning");
    assertEquals(List.of("3-5"), passesOf(3, 1, 7, 3, 4, 5), "the same prompt");
  }

  @Test
  void aShortPassRunsThreeTimes() {
    assertEquals(List.of("0-6", "6-8", "6-8", "6-8"), passesOf(6, 1, 2, 3, 4, 5, 6, 7, 8));
  }
}
