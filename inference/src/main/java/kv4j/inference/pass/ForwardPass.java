package kv4j.inference.pass;

import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Set;
import java.util.stream.LongStream;
import kv4j.cache.KvSequence;

/**
 * The new tokens of one or more sequences that go through the model together: a ragged batch, whose
 * rows are the segments' tokens one after another.
 *
 * @param segments at least one
 */
public record ForwardPass(List<Segment> segments) {
  /** Which of a segment's rows need logits. */
  public enum Logits {
    /** None: a chunk of a prompt that goes on. */
    NONE,
    /** The last row's. */
    LAST,
    /** Every row's. */
    ALL
  }

  /**
   * New tokens of one sequence, from position {@code from} to before {@code to}.
   *
   * @param sequence where its keys and values are; its length is {@code from}
   * @param tokens ids from position 0 on, at least {@code to} of them; not modified
   * @param logits which rows need logits
   */
  public record Segment(KvSequence sequence, int[] tokens, int from, int to, Logits logits) {
    public Segment {
      if (from < 0 || to <= from || to > tokens.length) {
        throw new IllegalArgumentException(
            "positions " + from + " to " + to + " of " + tokens.length + " tokens");
      }
    }

    /** Number of new tokens. */
    public int rows() {
      return to - from;
    }
  }

  public ForwardPass {
    segments = List.copyOf(segments);
    if (segments.isEmpty()) {
      throw new IllegalArgumentException("a forward pass needs at least one sequence");
    }
    Set<KvSequence> sequences = Collections.newSetFromMap(new IdentityHashMap<>());
    for (Segment segment : segments) {
      if (!sequences.add(segment.sequence())) {
        throw new IllegalArgumentException("a sequence may be in a forward pass only once");
      }
    }
  }

  /** Number of new tokens of all sequences. */
  public int rows() {
    int rows = 0;
    for (Segment segment : segments) {
      rows += segment.rows();
    }
    return rows;
  }

  /** Number of rows whose logits are asked for. */
  public int logitRows() {
    return logitRowNumbers().length;
  }

  /** Numbers of the rows whose logits are asked for, ascending. */
  public long[] logitRowNumbers() {
    LongStream.Builder numbers = LongStream.builder();
    long end = 0;
    for (Segment segment : segments) {
      long begin = end;
      end += segment.rows();
      long first =
          switch (segment.logits()) {
            case NONE -> end;
            case LAST -> end - 1;
            case ALL -> begin;
          };
      for (long row = first; row < end; row++) {
        numbers.add(row);
      }
    }
    return numbers.build().toArray();
  }
}
