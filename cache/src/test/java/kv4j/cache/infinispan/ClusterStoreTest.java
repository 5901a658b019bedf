package kv4j.cache.infinispan;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.concurrent.CompletionException;
import java.util.stream.Stream;
import kv4j.cache.store.BlockStore;
import kv4j.cache.store.ClusterOptions;
import kv4j.cache.store.ClusterOptions.Discovery;
import kv4j.cache.store.StoreOptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Processes on this machine that share blocks, and some that fail. */
class ClusterStoreTest {
  private static final int VALUES = 20;
  private static final int BYTES = 100_000;

  @TempDir Path folder;

  @Test
  void whatOnePutsTheOthersGetAndKeepWhenItIsKilled() throws Exception {
    try (Cluster cluster = new Cluster(3)) {
      StoreProcess first = cluster.start("owners=2");
      StoreProcess second = cluster.start("owners=2");
      StoreProcess third = cluster.start("owners=2");
      cluster.awaitNodes(3);
      for (int number = 0; number < VALUES; number++) {
        first.putUntilFound(number, BYTES, third); // which may have begun alone
      }
      for (StoreProcess process : List.of(first, second, third)) {
        awaitValues(process, 0);
      }
      StoreProcess.until(
          "two owners of each", () -> values(first) + values(second) + values(third) == 2 * VALUES);
      first.kill();
      awaitValues(second, 0);
      awaitValues(third, 0);
      second.awaitNodes(2);
      put(second, VALUES);
      awaitValues(third, VALUES);
    }
  }

  @Test
  void aPausedPeerKeepsNobodyWaiting() throws Exception {
    try (Cluster cluster = new Cluster(2)) {
      StoreProcess process = cluster.start();
      StoreProcess paused = cluster.start();
      cluster.awaitNodes(2);
      int count = 2 * VALUES;
      for (int number = 0; number < count; number++) {
        process.ask("put " + number + " " + BYTES, "put ");
      }
      paused.signal("STOP");
      process.say("flood " + count + " " + count + " " + Samples.BLOCK_BYTES);
      Set<String> answers = new HashSet<>();
      String first =
          process.await(
              line -> {
                note(line, answers);
                return line.equals("flooded") || line.contains("Exception");
              });
      assertEquals("flooded", first, "calls return before any is given up");
      while (answers.size() < 2 * count) {
        note(process.await(line -> true), answers);
      }
      paused.signal("CONT");
      for (int number = 1000; number < 1000 + VALUES; number++) {
        process.putUntilFound(number, BYTES, paused);
      }
      cluster.awaitNodes(2);
    }
  }

  private static void note(String line, Set<String> answers) {
    String[] words = line.split(" ");
    if (Set.of("got", "put", "failed").contains(words[0])) {
      answers.add((words[0].equals("got") ? "got " : "put ") + words[1]);
    }
  }

  @Test
  void whatIsOnDisksIsThereWhenTheClusterStartsAnew() throws Exception {
    String first = "argument=test,disk:" + folder.resolve("first");
    String second = "argument=test,disk:" + folder.resolve("second");
    try (Cluster cluster = new Cluster(2)) {
      StoreProcess process = cluster.start(first);
      StoreProcess other = cluster.start(second);
      cluster.awaitNodes(2);
      put(process, 0);
      assertTrue(values(process) > 0 && values(other) > 0, "each has a share");
      process.kill();
      other.kill();
    }
    try (Cluster cluster = new Cluster(2)) {
      StoreProcess other = cluster.start(second);
      StoreProcess process = cluster.start(first);
      cluster.awaitNodes(2);
      awaitValues(other, 0);
      awaitValues(process, 0);
    }
  }

  @Test
  void whoeverComesBackBringsTheShareInItsFolder() throws Exception {
    String disk = "argument=test,disk:" + folder;
    try (Cluster cluster = new Cluster(3)) {
      StoreProcess process = cluster.start();
      StoreProcess other = cluster.start(disk);
      cluster.awaitNodes(2);
      put(process, 0);
      assertTrue(values(process) > 0 && values(other) > 0, "each has a share");
      other.kill();
      StoreProcess again = cluster.start(disk);
      cluster.awaitNodes(2);
      awaitValues(again, 0);
      awaitValues(process, 0);
    }
  }

  @Test
  void processesFindEachOtherByTheAddressesOfAName() throws Exception {
    Path hosts =
        Files.writeString(
            folder.resolve("hosts"), "127.0.0.1 blocks.test\n127.0.0.2 blocks.test\n");
    int port = Cluster.freePort();
    String[] common = {"store=cluster", "argument=test", "owners=1", "dns=blocks.test"};
    try (StoreProcess first = StoreProcess.start(with(common, hosts, "bind=127.0.0.1:" + port));
        StoreProcess second = StoreProcess.start(with(common, hosts, "bind=127.0.0.2:" + port))) {
      first.await("open");
      second.await("open");
      first.awaitNodes(2);
      for (int number = 0; number < VALUES; number++) {
        first.putUntilFound(number, BYTES, second); // both may have begun alone
      }
    }
  }

  private static String[] with(String[] options, Path hosts, String bind) {
    return Stream.concat(Stream.of(options), Stream.of("hosts=" + hosts, bind))
        .toArray(String[]::new);
  }

  @Test
  void everythingListensAtTheLoopbackAddress() throws Exception {
    try (Cluster cluster = new Cluster(1)) {
      List<String> elsewhere = new ArrayList<>();
      long pid = cluster.start().pid();
      Set<String> sockets = sockets(pid);
      assertFalse(sockets.isEmpty());
      for (String table : List.of("tcp", "tcp6", "udp", "udp6")) {
        for (String line : Files.readAllLines(Path.of("/proc/net", table))) {
          String[] fields = line.strip().split("\\s+");
          if (fields.length > 9 && sockets.contains(fields[9]) && !isLoopback(fields[1])) {
            elsewhere.add(line);
          }
        }
      }
      assertEquals(List.of(), elsewhere);
    }
  }

  /** Inodes of a process's sockets. */
  private static Set<String> sockets(long pid) throws IOException {
    Set<String> inodes = new HashSet<>();
    try (var files = Files.list(Path.of("/proc/" + pid + "/fd"))) {
      for (Path file : files.toList()) {
        String target = Files.readSymbolicLink(file).toString();
        if (target.startsWith("socket:[")) {
          inodes.add(target.replaceAll("\\D", ""));
        }
      }
    }
    return inodes;
  }

  /** Whether an address, as the kernel writes it, is 127.0.0.1, as such or in IPv6, or ::1. */
  private static boolean isLoopback(String address) {
    return address.startsWith("0100007F:")
        || address.startsWith("0000000000000000FFFF00000100007F:")
        || address.startsWith("00000000000000000000000001000000:");
  }

  @Test
  void onlyWhoHasTheCertificateIsLetIn() throws Exception {
    try (Cluster cluster = new Cluster(3)) {
      Path ours = keyStore("ours");
      StoreProcess first = cluster.start("xml=" + tls(cluster.nextPort(), cluster, ours));
      StoreProcess second = cluster.start("xml=" + tls(cluster.nextPort(), cluster, ours));
      StoreProcess stranger =
          cluster.start("xml=" + tls(cluster.nextPort(), cluster, keyStore("theirs")));
      first.awaitNodes(2);
      for (int number = 0; number < VALUES; number++) {
        first.putUntilFound(number, BYTES, second); // both may have begun alone
      }
      for (int number = 0; number < VALUES; number++) {
        assertFalse(stranger.finds(number));
      }
      assertEquals("1", stranger.ask("nodes", "nodes "));
    }
  }

  private Path keyStore(String name) throws Exception {
    Path store = folder.resolve(name + ".p12");
    Process keytool =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "keytool").toString(),
                "-genkeypair",
                "-keystore",
                store.toString(),
                "-storetype",
                "PKCS12",
                "-storepass",
                "SECRET",
                "-alias",
                "cluster",
                "-keyalg",
                "EC",
                "-dname",
                "CN=cluster")
            .redirectErrorStream(true)
            .start();
    String said = new String(keytool.getInputStream().readAllBytes());
    assertEquals(0, keytool.waitFor(), said);
    return store;
  }

  /** The configuration that the documentation has, with this cluster's addresses and keys. */
  private Path tls(int port, Cluster cluster, Path keyStore) throws IOException {
    String xml =
        Files.readString(Path.of("../docs/cluster-tls.xml"))
            .replace("bind_port=\"7800\"", "bind_port=\"" + port + "\"")
            .replace("127.0.0.1[7800],127.0.0.1[7801]", cluster.hosts())
            .replace("\"cluster.p12\"", "\"" + keyStore + "\"");
    return Files.writeString(folder.resolve(port + ".xml"), xml);
  }

  @Test
  void aPortThatIsTakenFailsTheOpeningAndKeepsTheFiles() throws Exception {
    try (BlockStore store = new DiskStoreProvider().open(StoreOptions.of(folder.toString()))) {
      store.ready().join();
      store.put(Samples.key(1), Samples.value(1, BYTES)).join();
    }
    try (ServerSocket taken = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      String address = "127.0.0.1:" + taken.getLocalPort();
      StoreOptions options =
          new StoreOptions(
              "test,disk:" + folder,
              OptionalLong.empty(),
              Optional.empty(),
              Optional.of(
                  new ClusterOptions(
                      1, new Discovery.Peers(List.of(address)), Optional.of(address))));
      try (BlockStore store = new ClusterStoreProvider().open(options)) {
        assertThrows(CompletionException.class, store.ready()::join);
      }
    }
    try (BlockStore store = new DiskStoreProvider().open(StoreOptions.of(folder.toString()))) {
      store.ready().join();
      assertEquals(1, store.contents().values());
    }
  }

  @Test
  void whatCannotBeAClusterIsRefused() throws IOException {
    assertEquals(
        "a cluster needs a name of letters, digits, dots and hyphens, not \"\"",
        refusal("", new Discovery.Multicast(), Optional.empty()));
    assertEquals(
        "a peer is written host:port, not localhost",
        refusal("a", new Discovery.Peers(List.of("localhost")), Optional.empty()));
    assertEquals(
        "an address is written host or host:port, not host:port:7",
        refusal("a", new Discovery.Multicast(), Optional.of("host:port:7")));
    Path file = Files.writeString(folder.resolve("stack.xml"), "no XML");
    assertTrue(
        refusal("a", new Discovery.File(file), Optional.empty())
            .startsWith("the file " + file + " is no JGroups configuration"));
    assertTrue(
        refusal("a", new Discovery.File(folder.resolve("none")), Optional.empty())
            .startsWith("the file " + folder.resolve("none") + " is no JGroups configuration"));
  }

  private static String refusal(String argument, Discovery discovery, Optional<String> bind) {
    StoreOptions options =
        new StoreOptions(
            argument,
            OptionalLong.empty(),
            Optional.empty(),
            Optional.of(new ClusterOptions(1, discovery, bind)));
    return assertThrows(
            IllegalArgumentException.class, () -> new ClusterStoreProvider().open(options))
        .getMessage();
  }

  private static void put(StoreProcess process, int first) throws InterruptedException {
    for (int number = first; number < first + VALUES; number++) {
      process.ask("put " + number + " " + BYTES, "put ");
    }
  }

  /** Waits until a process finds what was {@link #put}: peers are sent it in the background. */
  private static void awaitValues(StoreProcess process, int first) throws InterruptedException {
    for (int number = first; number < first + VALUES; number++) {
      int wanted = number;
      StoreProcess.until("value " + number, () -> process.finds(wanted));
    }
  }

  private static int values(StoreProcess process) throws InterruptedException {
    return Integer.parseInt(process.ask("values", "values "));
  }
}
