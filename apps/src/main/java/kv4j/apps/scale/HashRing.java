package kv4j.apps.scale;

import java.util.Arrays;
import java.util.function.IntPredicate;
import java.util.stream.IntStream;

/**
 * Consistent hashing: every node has many places on a ring, and a key belongs to the node whose
 * place comes next after it. Without a node, its keys go to those that come next, and all others
 * stay where they are.
 *
 * <p>Source: Karger et al., "Consistent Hashing and Random Trees", STOC 1997.
 */
final class HashRing {
  private static final int PLACES = 160; // of a node, as nginx has them

  private final int nodes;
  private final long[] places; // ascending
  private final int[] owners; // of the places

  HashRing(int nodes) {
    this.nodes = nodes;
    places = IntStream.range(0, nodes * PLACES).mapToLong(HashRing::place).sorted().toArray();
    owners = new int[places.length];
    for (int i = 0; i < owners.length; i++) {
      owners[Arrays.binarySearch(places, place(i))] = i / PLACES;
    }
  }

  /** Where the n-th place of all is; negative numbers are hashed for it, as no ids are. */
  private static long place(int number) {
    return mix(~(long) number);
  }

  /** Spreads numbers over all 64 bits: the finalizer of MurmurHash3. */
  static long mix(long value) {
    long hash = (value ^ value >>> 33) * 0xff51afd7ed558ccdL;
    hash = (hash ^ hash >>> 33) * 0xc4ceb9fe1a85ec53L;
    return hash ^ hash >>> 33;
  }

  /** A hash of ids that follow others, or of the first ones after 0. */
  static long hash(long before, int[] ids, int from, int to) {
    long hash = before;
    for (int i = from; i < Math.min(to, ids.length); i++) {
      hash = mix(hash + ids[i] + 1);
    }
    return hash;
  }

  /** The first node after a key that will do; the key's own if none does. */
  int find(long key, IntPredicate willDo) {
    int found = Arrays.binarySearch(places, key);
    int first = found >= 0 ? found : -found - 1;
    for (int i = 0; i < places.length; i++) {
      int node = owners[(first + i) % places.length];
      if (willDo.test(node)) {
        return node;
      }
    }
    return owners[first % places.length];
  }

  /** The first nodes after a key, each once, as many as that or as there are. */
  int[] owners(long key, int count) {
    int[] chosen = new int[Math.min(count, nodes)];
    for (int i = 0; i < chosen.length; i++) {
      int before = i;
      chosen[i] = find(key, node -> IntStream.range(0, before).noneMatch(j -> chosen[j] == node));
    }
    return chosen;
  }
}
