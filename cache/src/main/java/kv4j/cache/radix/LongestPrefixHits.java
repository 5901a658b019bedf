package kv4j.cache.radix;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import kv4j.cache.ExpectedHits;
import kv4j.cache.KvRequest;

/**
 * Expects the longest prefix that a prompt has in common with any earlier request: its prompt and
 * its generated tokens but the last, whose keys and values nobody computed. Found by comparing with
 * each earlier request in turn, so that it shares no code with the tree that it checks.
 */
final class LongestPrefixHits implements ExpectedHits {
  private final List<int[]> kept = new ArrayList<>();

  @Override
  public int next(KvRequest request) {
    int[] prompt = request.prompt();
    int longest = 0;
    for (int[] other : kept) {
      int differ = Arrays.mismatch(other, prompt);
      longest = Math.max(longest, differ < 0 ? prompt.length : differ);
    }
    return Math.min(longest, prompt.length - 1);
  }

  @Override
  public void ran(KvRequest request, int[] generated) {
    int[] prompt = request.prompt();
    int[] all = Arrays.copyOf(prompt, prompt.length + generated.length - 1);
    System.arraycopy(generated, 0, all, prompt.length, generated.length - 1);
    kept.add(all);
  }
}
