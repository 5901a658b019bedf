package kv4j.inference.schedule;

import static kv4j.inference.EngineTestKit.between;
import static kv4j.inference.EngineTestKit.forAll;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class RowBudgetTest {
  @Test
  void promptsShareWhatDecodesLeave() {
    assertArrayEquals(new int[] {1, 20}, RowBudget.share(new int[] {1, 20}, 32));
    assertArrayEquals(new int[] {1, 31}, RowBudget.share(new int[] {1, 500}, 32));
    assertArrayEquals(new int[] {22, 10}, RowBudget.share(new int[] {500, 10}, 32));
    assertArrayEquals(new int[] {8, 0, 24}, RowBudget.share(new int[] {500, 400, 30}, 32));
    assertArrayEquals(new int[] {1, 1, 1, 1}, RowBudget.share(new int[] {1, 9, 1, 1}, 4));
  }

  @Test
  void noRowIsLostAndNobodyStarves() {
    forAll(
        2_000,
        random -> {
          int count = between(random, 1, 9);
          int most = count + between(random, 1, 40);
          int[] needed =
              IntStream.range(0, count).map(i -> Math.max(1, between(random, -20, 60))).toArray();
          int[] rows = RowBudget.share(needed, most);
          assertEquals(Math.min(most, IntStream.of(needed).sum()), IntStream.of(rows).sum());
          int decodes = (int) IntStream.of(needed).filter(n -> n == 1).count();
          boolean oldest = true;
          for (int i = 0; i < count; i++) {
            assertTrue(rows[i] >= 0 && rows[i] <= needed[i]);
            if (needed[i] == 1) {
              assertEquals(1, rows[i]);
            } else if (oldest) {
              assertTrue(rows[i] >= Math.min(needed[i], Math.max(1, (most - decodes) / 4)));
              oldest = false;
            }
          }
        });
  }
}
