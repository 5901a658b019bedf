package kv4j.cache.simple;

import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import kv4j.cache.ExpectedHits;
import kv4j.cache.KvRequest;

/**
 * Expects a request to find the prefix that it names as shared, if an earlier request named the
 * same one.
 */
final class ExplicitPrefixHits implements ExpectedHits {
  private final Set<List<Integer>> kept = new HashSet<>();

  @Override
  public int next(KvRequest request) {
    boolean known = kept.contains(prefix(request));
    return known ? Math.min(request.sharedPrefixTokens(), request.prompt().length - 1) : 0;
  }

  @Override
  public void ran(KvRequest request, int[] generated) {
    kept.add(prefix(request));
  }

  private static List<Integer> prefix(KvRequest request) {
    return Arrays.stream(request.prompt(), 0, request.sharedPrefixTokens()).boxed().toList();
  }
}
