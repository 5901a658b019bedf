package kv4j.inference.schedule;

import java.util.Comparator;
import java.util.stream.IntStream;

/**
 * Shares a pass's rows out. Whoever needs one row for the next token gets it. Of what is left, the
 * oldest of the others gets a quarter, so that no prompt starves, and then whoever needs the fewest
 * gets all it can take, and so on: short prompts pass long ones by.
 *
 * <p>So with {@code q = (maxRows - maxRunning) / 4}, at least 1, a prompt of {@code n} tokens to
 * compute that runs is computed after at most {@code ceil(n / q)} passes, short ones in the middle
 * of others not counted, and as many more as those older ones need by the same count that were not
 * computed when it began; and one that is shorter than all others gets three quarters of the rows
 * at once.
 */
final class RowBudget {
  private static final int OLDEST = 4; // gets the rows divided by this

  private RowBudget() {}

  /**
   * @param needed rows that each needs until its next token, at least 1; the oldest first
   * @param most rows of the pass, more than there are to share them
   * @return rows that each gets, perhaps 0
   */
  static int[] share(int[] needed, int most) {
    int[] rows = IntStream.of(needed).map(n -> n == 1 ? 1 : 0).toArray();
    int left = most - IntStream.of(rows).sum();
    int[] prompts = IntStream.range(0, rows.length).filter(i -> needed[i] > 1).toArray();
    if (prompts.length > 0) {
      int oldest = prompts[0];
      rows[oldest] = Math.min(needed[oldest], Math.max(1, left / OLDEST));
      left -= rows[oldest];
    }
    for (int i : fewestFirst(prompts, needed)) {
      int more = Math.min(needed[i] - rows[i], left);
      rows[i] += more;
      left -= more;
    }
    return rows;
  }

  private static int[] fewestFirst(int[] prompts, int[] needed) {
    return IntStream.of(prompts)
        .boxed()
        .sorted(Comparator.comparingInt(i -> needed[i])) // stable: of two alike, the older
        .mapToInt(Integer::intValue)
        .toArray();
  }
}
