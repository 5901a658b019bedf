package kv4j.apps.workload;

/**
 * Answers that a cache spoiled because it was asked to.
 *
 * @param cache its name
 * @param answers how many
 * @param fault what was wrong with the keys and values that they were computed from
 */
public record Spoiled(String cache, int answers, String fault) {
  @Override
  public String toString() {
    return "the cache %s spoiled %d answers on purpose: %s".formatted(cache, answers, fault);
  }
}
