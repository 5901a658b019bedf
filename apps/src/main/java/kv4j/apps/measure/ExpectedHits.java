package kv4j.apps.measure;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import kv4j.apps.workload.WorkloadRequest;

/**
 * How many prompt tokens a cache of some kind must find, worked out from the requests alone, in
 * their order, for a cache that starts empty and has room for everything. One prompt token is
 * always left to compute.
 */
interface ExpectedHits {
  /** Tokens that a request now to come must find cached. */
  int next(WorkloadRequest request);

  /**
   * Takes note of a request that has run.
   *
   * @param generated the tokens it gave
   */
  void ran(WorkloadRequest request, int[] generated);

  /** The expectation for a cache of kv4j's own, by name; empty for any other. */
  static Optional<ExpectedHits> of(String cache) {
    return switch (cache) {
      case "none", "request" -> Optional.of(new Nothing());
      case "simple" -> Optional.of(new ExplicitPrefix());
      case "radix" -> Optional.of(new LongestPrefix());
      default -> Optional.empty();
    };
  }

  /** Keeps nothing between requests. */
  final class Nothing implements ExpectedHits {
    @Override
    public int next(WorkloadRequest request) {
      return 0;
    }

    @Override
    public void ran(WorkloadRequest request, int[] generated) {}
  }

  /** Keeps the prefixes it is told are shared. */
  final class ExplicitPrefix implements ExpectedHits {
    private final Set<List<Integer>> kept = new HashSet<>();

    @Override
    public int next(WorkloadRequest request) {
      boolean known = kept.contains(prefix(request));
      return known ? Math.min(request.sharedPrefixTokens(), request.prompt().length - 1) : 0;
    }

    @Override
    public void ran(WorkloadRequest request, int[] generated) {
      kept.add(prefix(request));
    }

    private static List<Integer> prefix(WorkloadRequest request) {
      return Arrays.stream(request.prompt(), 0, request.sharedPrefixTokens()).boxed().toList();
    }
  }

  /**
   * Keeps every prompt and what was generated after it, but for the last token, whose keys and
   * values nobody computed; finds the longest beginning that any of them has in common with a
   * prompt.
   */
  final class LongestPrefix implements ExpectedHits {
    private final List<int[]> kept = new ArrayList<>();

    @Override
    public int next(WorkloadRequest request) {
      int[] prompt = request.prompt();
      int longest = 0;
      for (int[] other : kept) {
        int differ = Arrays.mismatch(other, prompt);
        longest = Math.max(longest, differ < 0 ? prompt.length : differ);
      }
      return Math.min(longest, prompt.length - 1);
    }

    @Override
    public void ran(WorkloadRequest request, int[] generated) {
      int[] prompt = request.prompt();
      int[] all = Arrays.copyOf(prompt, prompt.length + generated.length - 1);
      System.arraycopy(generated, 0, all, prompt.length, generated.length - 1);
      kept.add(all);
    }
  }
}
