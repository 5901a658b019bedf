package kv4j.inference.plan.step;

import java.util.ArrayList;
import java.util.List;
import kv4j.cache.block.KvSpans;
import kv4j.inference.plan.run.PassState;

/**
 * Segments of a pass that attend together: one, or several of one row each whose spans begin with
 * the same blocks, so that each of these is read once for all of them.
 *
 * @param segments their numbers
 * @param shared leading spans that they have in common; 0 for one segment
 */
record AttendUnit(List<Integer> segments, int shared) {
  /** Fewer shared tokens are not worth it. */
  private static final int LEAST_TOKENS = 32;

  /** Of a pass of one segment: most passes are, and nothing need be allocated for them. */
  private static final List<AttendUnit> ALONE = List.of(new AttendUnit(List.of(0), 0));

  /**
   * Sorts the segments of a pass, in the same way whoever asks.
   *
   * @param least how many units there should be, for all workers to have something to do
   */
  static List<AttendUnit> of(PassState pass, int least) {
    if (pass.segments().size() == 1) {
      return ALONE;
    }
    List<AttendUnit> units = new ArrayList<>();
    List<Sharing> groups = new ArrayList<>();
    for (int s = 0; s < pass.segments().size(); s++) {
      if (pass.segments().get(s).rows() > 1) {
        units.add(new AttendUnit(List.of(s), 0));
      } else {
        join(groups, s, pass.spans(s));
      }
    }
    int parts = Math.max(1, least - units.size() - groups.size() + 1);
    groups.forEach(group -> group.addTo(units, parts));
    return units;
  }

  private static void join(List<Sharing> groups, int segment, KvSpans spans) {
    for (Sharing group : groups) {
      if (group.takes(segment, spans)) {
        return;
      }
    }
    groups.add(new Sharing(segment, spans));
  }

  /** Segments that share at least as much as the first two, or half of it. */
  private static final class Sharing {
    private final KvSpans first;
    private final List<Integer> segments = new ArrayList<>();
    private int shared; // spans, once there are two
    private int tokens; // in these

    Sharing(int segment, KvSpans spans) {
      first = spans;
      segments.add(segment);
    }

    boolean takes(int segment, KvSpans spans) {
      int most = Math.min(first.count(), spans.count()) - 1; // the last holds the new token
      most = segments.size() > 1 ? Math.min(most, shared) : most;
      int same = 0;
      int sum = 0;
      while (same < most
          && first.block(same) == spans.block(same)
          && first.tokens(same) == spans.tokens(same)) {
        sum += first.tokens(same++);
      }
      if (sum < LEAST_TOKENS || 2 * sum < tokens) {
        return false;
      }
      shared = same;
      tokens = sum;
      segments.add(segment);
      return true;
    }

    /** Adds all of it in so many parts, but no part of one segment alone if it can be helped. */
    void addTo(List<AttendUnit> units, int parts) {
      int count = Math.min(parts, Math.max(1, segments.size() / 2));
      for (int i = 0; i < count; i++) {
        List<Integer> part =
            segments.subList(segments.size() * i / count, segments.size() * (i + 1) / count);
        units.add(new AttendUnit(List.copyOf(part), part.size() > 1 ? shared : 0));
      }
    }
  }
}
