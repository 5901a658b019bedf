package kv4j.apps.scale;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Blocks that all servers share: each is kept by the servers that own its key, who forget what was
 * used longest ago.
 */
final class SharedStore {
  /**
   * Blocks that were found one after the other.
   *
   * @param remote how many of them others keep
   */
  record Found(int blocks, int remote) {}

  private final HashRing ring;
  private final int owners;
  private final List<Map<Long, Double>> parts = new ArrayList<>(); // when each block was written

  SharedStore(FleetConfig.Store config, HashRing ring, int nodes, long blockBytes) {
    this.ring = ring;
    owners = config.owners();
    long most = config.bytes() / blockBytes;
    for (int i = 0; i < nodes; i++) {
      parts.add(
          new LinkedHashMap<>(16, 0.75f, true) {
            private static final long serialVersionUID = 1;

            @Override
            protected boolean removeEldestEntry(Map.Entry<Long, Double> eldest) {
              return size() > most;
            }
          });
    }
  }

  /**
   * Looks for the blocks of a chain.
   *
   * @param keys of all its blocks
   * @param from the first that is wanted
   * @param reader which server asks
   * @param now what is written later is not there yet
   */
  Found find(long[] keys, int from, int reader, double now) {
    int block = from;
    int remote = 0;
    while (block < keys.length) {
      int[] keepers = ring.owners(keys[block], owners);
      boolean there = false;
      boolean here = false;
      for (int node : keepers) {
        Double written = parts.get(node).get(keys[block]);
        there |= written != null && written <= now;
        here |= written != null && node == reader;
      }
      if (!there) {
        break;
      }
      remote += here ? 0 : 1;
      block++;
    }
    return new Found(block - from, remote);
  }

  /** Keeps blocks, unless they are kept already. */
  void put(long[] keys, double now) {
    for (long key : keys) {
      for (int node : ring.owners(key, owners)) {
        parts.get(node).putIfAbsent(key, now);
      }
    }
  }
}
