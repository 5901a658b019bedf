package kv4j.cache.index;

import kv4j.cache.Lookup.Reason;

/**
 * Remembers why runs of tokens are not stored, for miss reasons: a fixed table of hashes of whole
 * prefixes, in which newer entries overwrite older ones. Being wrong once in 2^64 costs a wrong
 * explanation, never a wrong token.
 */
final class AbsenceReasons {
  private static final int SLOTS = 1 << 14;
  private static final long MULTIPLIER = 0x9E3779B97F4A7C15L;

  private final long[] hashes = new long[SLOTS];
  private final Reason[] reasons = new Reason[SLOTS];

  /** The hash of a prefix, given that of its beginning and the tokens {@code [from, to)} after. */
  static long hash(long hash, int[] tokens, int from, int to) {
    for (int i = from; i < to; i++) {
      hash = (hash ^ tokens[i] + 1L) * MULTIPLIER;
      hash ^= hash >>> 29;
    }
    return hash;
  }

  /**
   * Notes why the tokens {@code [from, to)} are not stored. Each of them gets an entry, because a
   * prompt may end or differ at any of them.
   *
   * @param hash that of the tokens before them
   */
  void put(long hash, int[] tokens, int from, int to, Reason reason) {
    for (int i = from; i < to; i++) {
      hash = hash(hash, tokens, i, i + 1);
      hashes[slot(hash)] = hash;
      reasons[slot(hash)] = reason;
    }
  }

  /** Why the prefix of this hash is not stored; null if not known. */
  Reason get(long hash) {
    return hashes[slot(hash)] == hash ? reasons[slot(hash)] : null;
  }

  private static int slot(long hash) {
    return (int) (hash >>> 40) & SLOTS - 1;
  }
}
