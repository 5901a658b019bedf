package kv4j.cache.infinispan;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/**
 * Two machines, which are network namespaces here, whose connection is cut and mended. They find
 * each other by multicast. Skipped where namespaces cannot be made: they need root and {@code ip}.
 */
class PartitionTest {
  private static final int VALUES = 20;
  private static final int BYTES = 10_000;
  private static final String SUFFIX = Long.toString(ProcessHandle.current().pid() % 100_000);
  private static final List<String> MACHINES = List.of("kv4ja" + SUFFIX, "kv4jb" + SUFFIX);

  @BeforeEach
  void connect() throws Exception {
    for (String machine : MACHINES) {
      assumeTrue(ip("netns add " + machine), "no network namespaces can be made here");
    }
    assumeTrue(
        ip(
            "link add a%s netns %s type veth peer name b%s netns %s"
                .formatted(SUFFIX, MACHINES.get(0), SUFFIX, MACHINES.get(1))),
        "no virtual network can be made here");
    for (int i = 0; i < 2; i++) {
      String device = "ab".charAt(i) + SUFFIX;
      ip("-n %s addr add 10.77.0.%d/24 dev %s".formatted(MACHINES.get(i), i + 1, device));
      ip("-n %s link set lo up".formatted(MACHINES.get(i)));
      ip("-n %s link set %s up".formatted(MACHINES.get(i), device));
      ip("-n %s route add 239.0.0.0/8 dev %s".formatted(MACHINES.get(i), device));
    }
  }

  @AfterEach
  void disconnect() throws Exception {
    for (String machine : MACHINES) {
      ip("netns del " + machine);
    }
  }

  @Test
  void partsGoOnAloneAndTogetherAgain() throws Exception {
    try (StoreProcess first = start(0);
        StoreProcess second = start(1)) {
      first.awaitNodes(2);
      second.awaitNodes(2);
      put(first, 0);
      awaitValues(second, 0);

      ip("-n %s link set a%s down".formatted(MACHINES.get(0), SUFFIX));
      for (StoreProcess process : List.of(first, second)) {
        for (int number = 0; number < VALUES; number++) {
          String answer = process.ask("get " + number, "got " + number + " ");
          assertNotEquals("-1", answer, "what there is, nothing, or a failure");
        }
        process.awaitNodes(1);
        put(process, 100);
        awaitValues(process, 100);
      }

      ip("-n %s link set a%s up".formatted(MACHINES.get(0), SUFFIX));
      ip("-n %s route add 239.0.0.0/8 dev a%s".formatted(MACHINES.get(0), SUFFIX));
      first.awaitNodes(2);
      second.awaitNodes(2);
      for (int number = 200; number < 200 + VALUES; number++) {
        second.putUntilFound(number, BYTES, first);
      }
    }
  }

  private static StoreProcess start(int machine) throws Exception {
    StoreProcess process =
        StoreProcess.start(
            List.of("ip", "netns", "exec", MACHINES.get(machine)),
            line -> {},
            "store=cluster",
            "argument=test",
            "owners=1",
            "multicast=yes",
            "bind=10.77.0." + (machine + 1));
    process.await("open");
    return process;
  }

  private static boolean ip(String arguments) throws IOException, InterruptedException {
    try {
      return new ProcessBuilder(("ip " + arguments).split(" ")).inheritIO().start().waitFor() == 0;
    } catch (IOException e) { // no such program
      return false;
    }
  }

  private static void put(StoreProcess process, int first) throws InterruptedException {
    for (int number = first; number < first + VALUES; number++) {
      assertEquals(number + " 0", process.ask("put " + number + " " + BYTES, "put "));
    }
  }

  private static void awaitValues(StoreProcess process, int first) throws InterruptedException {
    for (int number = first; number < first + VALUES; number++) {
      int wanted = number;
      StoreProcess.until("value " + number, () -> process.finds(wanted));
    }
  }
}
