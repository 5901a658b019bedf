package kv4j.cache;

import java.time.Duration;
import java.util.Collections;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * What a cache keeps in a tree of prefixes at one moment.
 *
 * @param number of the last {@link CacheEvent} before that moment; 0 before the first
 * @param maxBytes most bytes it may keep
 * @param storage what it keeps, counted
 * @param pinned names of prefixes that are kept, and the runs where these end
 * @param runs depth first: each before those that follow it, which are in order of insertion
 */
public record TreeSnapshot(
    long number,
    long maxBytes,
    CacheStats.Storage storage,
    SortedMap<String, Long> pinned,
    List<Run> runs) {
  /**
   * A stretch of tokens between two forks, or a fork and an end.
   *
   * @param id from 1 on; a cache never uses one again
   * @param parent the run that it follows; 0 if it begins its sequence
   * @param namespace the tenant it belongs to
   * @param model fingerprint of the model that computed it
   * @param salted whether it can be found with a salt only
   * @param start position of its first token in its sequence
   * @param tokens their ids; not to be modified
   * @param entries blocks that it owns
   * @param bytes of these
   * @param pins open sequences and names that keep it or a run below from being evicted
   * @param hits lookups that found it
   * @param age since it was inserted or, where that refreshes it, last used
   * @param label what the request is called that computed it
   */
  public record Run(
      long id,
      long parent,
      String namespace,
      String model,
      boolean salted,
      int start,
      int[] tokens,
      int entries,
      long bytes,
      int pins,
      long hits,
      Duration age,
      String label) {}

  public TreeSnapshot {
    pinned = Collections.unmodifiableSortedMap(new TreeMap<>(pinned));
    runs = List.copyOf(runs);
  }
}
