package kv4j.apps.serve.openai;

import java.util.ArrayList;
import java.util.List;
import java.util.PriorityQueue;

/**
 * How probable the model found a token before anything was biased, penalized or left out.
 *
 * @param logprob natural logarithm of its probability
 * @param top the likeliest tokens, these first; empty if nobody asked
 */
public record TokenProbability(int token, double logprob, List<TokenProbability> top) {
  /**
   * Of a token that was picked.
   *
   * @param row logits, one for each token
   * @param most of the likeliest tokens to name
   */
  public static TokenProbability of(int token, float[] row, int most) {
    double max = Double.NEGATIVE_INFINITY;
    for (float logit : row) {
      max = Math.max(max, logit);
    }
    double sum = 0;
    for (float logit : row) {
      sum += Math.exp(logit - max);
    }
    double normalizer = max + Math.log(sum);
    List<TokenProbability> top = new ArrayList<>();
    for (int id : likeliest(row, most)) {
      top.add(new TokenProbability(id, row[id] - normalizer, List.of()));
    }
    return new TokenProbability(token, row[token] - normalizer, top);
  }

  private static List<Integer> likeliest(float[] row, int most) {
    PriorityQueue<Integer> least = // the one to be replaced next is its head
        new PriorityQueue<>(
            Math.max(1, most),
            (one, other) ->
                row[one] != row[other]
                    ? Float.compare(row[one], row[other])
                    : Integer.compare(other, one));
    for (int id = 0; id < row.length && most > 0; id++) {
      if (least.size() < most) {
        least.add(id);
      } else if (row[id] > row[least.peek()]) {
        least.poll();
        least.add(id);
      }
    }
    List<Integer> ids = new ArrayList<>();
    while (!least.isEmpty()) {
      ids.add(0, least.poll());
    }
    return ids;
  }
}
