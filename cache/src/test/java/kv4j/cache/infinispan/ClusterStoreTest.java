package kv4j.cache.infinispan;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.api.Test;

/** Processes on this machine that share blocks. */
class ClusterStoreTest {
  private static final int BYTES = 100_000;

  @Test
  void whatOnePutsAnotherGets() throws Exception {
    try (Cluster cluster = new Cluster(2)) {
      StoreProcess first = cluster.start();
      StoreProcess second = cluster.start();
      cluster.awaitNodes(2);
      for (int number = 0; number < 20; number++) {
        first.ask("put " + number + " " + BYTES, "put ");
      }
      for (int number = 0; number < 20; number++) {
        second.say("get " + number);
        assertEquals(number + " 0", second.await("got "));
      }
    }
  }
}
