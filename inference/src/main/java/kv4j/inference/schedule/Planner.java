package kv4j.inference.schedule;

import java.util.ArrayList;
import java.util.List;

/**
 * Picks who is in the next pass. A request is urgent if it takes few rows until its next token: one
 * that generates, or with little left of its prompt. A pass with more rows of prompts than such a
 * request has is long, and whoever is urgent runs in short passes while it is left in the middle.
 */
final class Planner {
  private final int maxRows;
  private final int urgentRows;

  /**
   * @param maxRows of a pass, more than there are requests
   * @param urgentRows that an urgent request takes at most, at least 1
   */
  Planner(int maxRows, int urgentRows) {
    this.maxRows = maxRows;
    this.urgentRows = urgentRows;
  }

  /** What each gets of a pass of all. */
  List<Share> next(List<Job> running) {
    return shares(running, maxRows);
  }

  /**
   * Who stays in a pass if it is long: those that are not urgent, or if there are none the prompts.
   *
   * @return nothing if the pass is short
   */
  List<Share> ofLong(List<Share> shares) {
    List<Share> prompts =
        shares.stream().filter(share -> share.job().generation.remaining() > 1).toList();
    if (prompts.stream().mapToInt(Share::rows).sum() <= urgentRows) {
      return List.of();
    }
    List<Share> patient = prompts.stream().filter(share -> !isUrgent(share.job())).toList();
    return patient.isEmpty() ? prompts : patient;
  }

  /** What each gets of a short pass while another is left in the middle. */
  List<Share> urgent(List<Job> running, LongPass left) {
    List<Job> urgent = running.stream().filter(job -> isUrgent(job) && !left.holds(job)).toList();
    return shares(urgent, Math.min(maxRows, urgent.size() + urgentRows));
  }

  private boolean isUrgent(Job job) {
    return job.generation.remaining() <= urgentRows;
  }

  /** All goes to one that is suspected of having failed another. */
  private static List<Share> shares(List<Job> jobs, int most) {
    for (Job job : jobs) {
      if (job.suspectTo > 0) {
        return List.of(new Share(job, job.generation.next(most)));
      }
    }
    int[] needed = jobs.stream().mapToInt(job -> job.generation.remaining()).toArray();
    int[] rows = RowBudget.share(needed, most);
    List<Share> shares = new ArrayList<>();
    for (int i = 0; i < rows.length; i++) {
      if (rows[i] > 0) {
        shares.add(new Share(jobs.get(i), jobs.get(i).generation.next(rows[i])));
      }
    }
    return shares;
  }
}
