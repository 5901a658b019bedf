package kv4j.inference;

/**
 * The tokens that top-k, top-p and min-p leave, the likeliest first and of equally likely ones the
 * lowest id. A heap gives them one by one, so that only those looked at are ever sorted. Not
 * thread-safe; its memory is used again for each token.
 */
final class Candidates {
  private final Sampling sampling;
  private float[] logits;

  /**
   * A heap with the likeliest token at 0; behind its end lie the tokens already taken from it, the
   * first of them last.
   */
  private int[] ids = {};

  private int size;
  private int heap;

  Candidates(Sampling sampling) {
    this.sampling = sampling;
  }

  /** Whether nothing is ever left out. */
  boolean areAll() {
    return sampling.topK() == 0 && sampling.topP() == 1 && sampling.minP() == 0;
  }

  /**
   * Chooses among all tokens, and says how many there are, at least one.
   *
   * @param logits one for each token; not modified, and read until the next call
   * @param max the largest of them
   */
  int choose(float[] logits, double max) {
    this.logits = logits;
    int most = sampling.topK() == 0 ? logits.length : Math.min(sampling.topK(), logits.length);
    boolean cumulative = sampling.topP() < 1;
    double least = max + Math.log(sampling.minP());
    // The sum that top-p is a part of is of what top-k leaves, before min-p.
    fill(cumulative && most < logits.length ? Double.NEGATIVE_INFINITY : least);
    double enough = cumulative ? sampling.topP() * sum(most, max) : Double.POSITIVE_INFINITY;
    double sum = share(0, max);
    int kept = 1;
    while (kept < Math.min(most, size) && sum < enough && logits[get(kept)] >= least) {
      sum += share(kept, max);
      kept++;
    }
    return kept;
  }

  /** The token that is likeliest but for {@code rank} others. */
  int get(int rank) {
    while (size - heap <= rank) {
      int likeliest = ids[0];
      ids[0] = ids[--heap];
      ids[heap] = likeliest;
      sink(0);
    }
    return ids[size - 1 - rank];
  }

  /** How probable a token is, as a multiple of the likeliest one's probability. */
  private double share(int rank, double max) {
    return Math.exp(logits[get(rank)] - max);
  }

  private double sum(int most, double max) {
    double sum = 0;
    for (int i = 0; i < most; i++) {
      sum += most < logits.length ? share(i, max) : Math.exp(logits[i] - max);
    }
    return sum;
  }

  private void fill(double least) {
    if (ids.length < logits.length) {
      ids = new int[logits.length];
    }
    size = 0;
    for (int id = 0; id < logits.length; id++) {
      if (!(logits[id] < least)) { // keeps what is not a number, so that one is left
        ids[size++] = id;
      }
    }
    heap = size;
    for (int at = heap / 2 - 1; at >= 0; at--) {
      sink(at);
    }
  }

  private void sink(int from) {
    int at = from;
    int id = ids[at];
    for (int child = 2 * at + 1; child < heap; child = 2 * at + 1) {
      if (child + 1 < heap && isBefore(ids[child + 1], ids[child])) {
        child++;
      }
      if (!isBefore(ids[child], id)) {
        break;
      }
      ids[at] = ids[child];
      at = child;
    }
    ids[at] = id;
  }

  private boolean isBefore(int id, int other) {
    return logits[id] > logits[other] || logits[id] == logits[other] && id < other;
  }
}
