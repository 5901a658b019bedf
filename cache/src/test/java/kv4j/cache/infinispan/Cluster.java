package kv4j.cache.infinispan;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;

/**
 * Processes that look for each other at ports of the loopback address, one next to the other, that
 * nobody else uses.
 */
final class Cluster implements AutoCloseable {
  private final List<Integer> ports = new ArrayList<>();
  private final List<StoreProcess> processes = new ArrayList<>();

  static int freePort() throws IOException {
    try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      return socket.getLocalPort();
    }
  }

  /**
   * @param size most processes that are started
   */
  Cluster(int size) throws IOException {
    while (ports.size() < size) {
      int port = ports.isEmpty() ? freePort() : ports.get(ports.size() - 1) + 1;
      if (isFree(port)) {
        ports.add(port);
      } else {
        ports.clear();
      }
    }
  }

  private static boolean isFree(int port) {
    try (ServerSocket socket = new ServerSocket(port, 1, InetAddress.getLoopbackAddress())) {
      return socket.isBound();
    } catch (IOException e) {
      return false;
    }
  }

  /**
   * Starts the next process and waits until its store is open.
   *
   * @param more options, which take the place of those that they name
   */
  StoreProcess start(String... more) throws IOException, InterruptedException {
    List<String> options = new ArrayList<>(List.of(more));
    add(options, "store=cluster");
    add(options, "argument=test");
    add(options, "owners=1");
    add(options, "bind=127.0.0.1:" + nextPort());
    add(options, "peers=" + hosts().replace("[", ":").replace("]", ""));
    StoreProcess process = StoreProcess.start(options.toArray(String[]::new));
    processes.add(process);
    process.await("open");
    return process;
  }

  /** Where all of them listen, as JGroups writes it. */
  String hosts() {
    return ports.stream().map(port -> "127.0.0.1[" + port + "]").collect(Collectors.joining(","));
  }

  /** Where the next process listens. */
  int nextPort() {
    return ports.get(processes.size());
  }

  private static void add(List<String> options, String option) {
    String name = option.substring(0, option.indexOf('=') + 1);
    if (options.stream().noneMatch(other -> other.startsWith(name))) {
      options.add(option);
    }
  }

  /** Waits until each process that has not been closed knows of so many. */
  void awaitNodes(int count) throws InterruptedException {
    for (StoreProcess process : processes) {
      if (process.isAlive()) {
        process.awaitNodes(count);
      }
    }
  }

  @Override
  public void close() {
    processes.forEach(StoreProcess::close);
  }
}
