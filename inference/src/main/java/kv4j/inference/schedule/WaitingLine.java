package kv4j.inference.schedule;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.OptionalInt;
import java.util.function.Predicate;

/**
 * Who starts next. First those that were preempted, the oldest of them before others; then, of the
 * first that wait, whoever has most of its prompt cached, the first to come among equals. Whoever
 * was overtaken so many times that it may not be once more starts before all that came later, who
 * wait for it even while it waits for a prefix: so a request waits for those that were before it
 * and for so many others at most.
 */
final class WaitingLine {
  private static final int LOOKED_AT = 128; // of those that wait, so that a long line costs no more

  private final PrefixSharing sharing;
  private final int maxOvertakes;
  private final List<Job> waiting = new ArrayList<>(); // as they came: the most overtaken first
  private final List<Job> putBack = new ArrayList<>(); // the oldest first

  WaitingLine(PrefixSharing sharing, int maxOvertakes) {
    this.sharing = sharing;
    this.maxOvertakes = maxOvertakes;
  }

  void add(Job job) {
    waiting.add(job);
  }

  /** Takes one back that has run already. */
  void putBack(Job job) {
    putBack.add(job);
    putBack.sort(Comparator.comparingLong(Job::number));
  }

  /** Who starts next; null if nobody is left but who waits for a running one's prefix. */
  Job next(List<Job> running) {
    if (!putBack.isEmpty()) {
      return putBack.get(0);
    }
    Job best = null;
    int most = -1;
    for (Job job : waiting.subList(0, Math.min(waiting.size(), LOOKED_AT))) {
      OptionalInt cached = sharing.cachedFor(job, running);
      if (cached.isPresent() && cached.getAsInt() > most) {
        best = job;
        most = cached.getAsInt();
      }
      if (job.overtaken >= maxOvertakes) {
        break; // nobody may overtake it
      }
    }
    return best;
  }

  /** Removes one that starts. */
  void start(Job job) {
    if (!putBack.remove(job)) {
      int at = waiting.indexOf(job);
      waiting.subList(0, at).forEach(before -> before.overtaken++);
      waiting.remove(at);
    }
  }

  /** Removes some, and says which. */
  List<Job> remove(Predicate<Job> which) {
    List<Job> removed = new ArrayList<>();
    for (List<Job> jobs : List.of(putBack, waiting)) {
      jobs.stream().filter(which).forEach(removed::add);
      jobs.removeIf(which);
    }
    return removed;
  }

  int size() {
    return putBack.size() + waiting.size();
  }
}
