package kv4j.model.tokenizer;

import java.util.Comparator;
import java.util.PriorityQueue;

/**
 * Merges adjacent symbols of a text, the best pair first and of equal ones the leftmost, until no
 * pair can be merged: what byte pair encoding and SentencePiece have in common. Takes n log n steps
 * for n symbols.
 */
final class PairMerger {
  private static final Comparator<Candidate> BEST_FIRST =
      Comparator.comparingDouble((Candidate candidate) -> candidate.merge.priority)
          .thenComparingInt(Candidate::left);

  private final Rule rule;
  private final int[] tokens;
  private final int[] from;
  private final int[] to;
  private final int[] next;
  private final int[] previous;
  private final PriorityQueue<Candidate> queue = new PriorityQueue<>(BEST_FIRST);

  /** Which pairs can be merged. */
  interface Rule {
    /**
     * The merge of two adjacent symbols, or null.
     *
     * @param left token of the left symbol, or -1
     * @param right token of the right symbol, or -1
     * @param from where in the text the left symbol begins
     * @param to where in the text the right symbol ends
     */
    Merge of(int left, int right, int from, int to);
  }

  /**
   * @param priority lower is merged sooner
   * @param token what the pair becomes
   */
  record Merge(double priority, int token) {}

  private record Candidate(Merge merge, int left, int right, int from, int to) {}

  /** What becomes of the symbols that are left. */
  interface Output {
    /** Takes a symbol's token, or -1, and where in the text it begins and ends. */
    void accept(int token, int from, int to);
  }

  /**
   * @param tokens each symbol's token, or -1; becomes the merger's own
   * @param bounds where in the text each symbol begins, then where the last one ends
   */
  PairMerger(Rule rule, int[] tokens, int[] bounds) {
    this.rule = rule;
    this.tokens = tokens;
    from = new int[tokens.length];
    to = new int[tokens.length];
    next = new int[tokens.length];
    previous = new int[tokens.length];
    for (int i = 0; i < tokens.length; i++) {
      from[i] = bounds[i];
      to[i] = bounds[i + 1];
      next[i] = i + 1 < tokens.length ? i + 1 : -1;
      previous[i] = i - 1;
    }
  }

  /** Merges all that can be, and hands out what is left in the order of the text. */
  void run(Output output) {
    for (int i = 0; i + 1 < tokens.length; i++) {
      propose(i, i + 1);
    }
    while (!queue.isEmpty()) {
      Candidate best = queue.remove();
      if (isCurrent(best)) {
        merge(best);
      }
    }
    for (int i = tokens.length == 0 ? -1 : 0; i >= 0; i = next[i]) {
      output.accept(tokens[i], from[i], to[i]);
    }
  }

  private void propose(int left, int right) {
    if (left >= 0 && right >= 0) {
      Merge merge = rule.of(tokens[left], tokens[right], from[left], to[right]);
      if (merge != null) {
        queue.add(new Candidate(merge, left, right, from[left], to[right]));
      }
    }
  }

  /** A symbol that was merged away is empty, and one that has grown ends elsewhere. */
  private boolean isCurrent(Candidate pair) {
    return from[pair.left] == pair.from
        && to[pair.left] == from[pair.right]
        && to[pair.right] == pair.to
        && from[pair.right] < to[pair.right];
  }

  private void merge(Candidate pair) {
    int left = pair.left;
    int right = pair.right;
    tokens[left] = pair.merge.token;
    to[left] = to[right];
    from[right] = to[right];
    next[left] = next[right];
    if (next[left] >= 0) {
      previous[next[left]] = left;
    }
    propose(previous[left], left);
    propose(left, next[left]);
  }
}
