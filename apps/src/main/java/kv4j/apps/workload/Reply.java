package kv4j.apps.workload;

/**
 * What was said to a question whose right answer is known.
 *
 * @param expected the right answer
 * @param cached what was said with the cache under test
 * @param uncached what was said with the {@code request} cache
 */
public record Reply(String expected, String cached, String uncached) {
  /** Whether the cache under test gave the right answer. */
  public boolean isRight() {
    return cached.equals(expected);
  }

  /** Whether the {@code request} cache did. */
  public boolean isUncachedRight() {
    return uncached.equals(expected);
  }
}
