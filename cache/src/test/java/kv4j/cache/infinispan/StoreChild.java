package kv4j.cache.infinispan;

import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Semaphore;
import java.util.stream.Collectors;
import kv4j.cache.store.BlockStore;
import kv4j.cache.store.BlockStores;
import kv4j.cache.store.ClusterOptions;
import kv4j.cache.store.ClusterOptions.Discovery;
import kv4j.cache.store.StoreOptions;

/**
 * A process with a store. Its arguments, {@code name=value} each, say which; then it obeys lines of
 * its standard input and answers on standard output, where lines come in the order in which things
 * are done.
 */
final class StoreChild {
  private static final int IN_FLIGHT = 4;

  private final BlockStore store;

  private StoreChild(BlockStore store) {
    this.store = store;
  }

  public static void main(String[] args) throws Exception {
    Map<String, String> options =
        Arrays.stream(args)
            .map(arg -> arg.split("=", 2))
            .collect(Collectors.toMap(pair -> pair[0], pair -> pair[1]));
    if (options.containsKey("hosts")) {
      System.setProperty("jdk.net.hosts.file", options.get("hosts"));
    }
    try {
      BlockStore store =
          BlockStores.open(
              options.get("store"), storeOptions(options), StoreChild.class.getClassLoader());
      store.ready().join();
      say("open");
      new StoreChild(store).obey();
    } catch (IllegalArgumentException e) {
      say("refused " + e.getMessage());
    }
  }

  private static StoreOptions storeOptions(Map<String, String> options) {
    String bytes = options.get("bytes");
    return new StoreOptions(
        options.get("argument"),
        bytes == null ? OptionalLong.empty() : OptionalLong.of(Long.parseLong(bytes)),
        Optional.ofNullable(options.get("ttl")).map(Duration::parse),
        Optional.ofNullable(options.get("owners"))
            .map(
                owners ->
                    new ClusterOptions(
                        Integer.parseInt(owners),
                        discovery(options),
                        Optional.ofNullable(options.get("bind")))));
  }

  private static Discovery discovery(Map<String, String> options) {
    if (options.containsKey("xml")) {
      return new Discovery.File(Path.of(options.get("xml")));
    }
    if (options.containsKey("dns")) {
      return new Discovery.Dns(options.get("dns"));
    }
    if (options.containsKey("multicast")) {
      return new Discovery.Multicast();
    }
    return new Discovery.Peers(List.of(options.get("peers").split(",")));
  }

  private void obey() throws Exception {
    BufferedReader commands =
        new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    for (String line = commands.readLine(); line != null; line = commands.readLine()) {
      String[] words = line.split(" ");
      int[] numbers = Arrays.stream(words).skip(1).mapToInt(Integer::parseInt).toArray();
      switch (words[0]) {
        case "put" -> put(numbers[0], 0, numbers[1]);
        case "get" -> get(numbers[0]);
        case "list" -> list();
        case "flood" -> flood(numbers[0], numbers[1], numbers[2]);
        case "values" -> say("values " + store.contents().values());
        case "nodes" -> say("nodes " + store.contents().nodes().size());
        case "write" -> write(numbers[0], numbers[1], numbers[2]);
        case "close" -> {
          store.close();
          say("closed");
          return;
        }
        default -> throw new IllegalArgumentException(line);
      }
    }
  }

  private CompletableFuture<?> put(int number, int version, int bytes) {
    say("putting " + number + " " + version);
    return store
        .put(Samples.key(number), Samples.value(number, version, bytes))
        .whenComplete(
            (done, error) -> say((error == null ? "put " : "failed ") + number + " " + version));
  }

  private void get(int number) {
    say("getting " + number);
    store
        .get(List.of(Samples.key(number)))
        .get(0)
        .whenComplete(
            (value, error) ->
                say(
                    "got "
                        + number
                        + " "
                        + (error != null
                            ? error.getClass().getSimpleName()
                            : value == null ? "nothing" : Samples.version(number, value))));
  }

  private void list() {
    store.forEach(
        (key, value) -> {
          int number = Samples.number(key);
          say("have " + number + " " + Samples.version(number, value));
        });
    say("listed");
  }

  /** Puts many values and asks for as many others, without waiting for any. */
  private void flood(int first, int count, int bytes) {
    for (int number = first; number < first + count; number++) {
      put(number, 0, bytes);
      get(number - count);
    }
    say("flooded");
  }

  /** Writes for ever, several at a time: keys below a number, in ever newer versions. */
  private void write(int keys, int firstVersion, int bytes) throws InterruptedException {
    Random random = new Random(firstVersion);
    Semaphore inFlight = new Semaphore(IN_FLIGHT);
    for (int version = firstVersion; ; version++) {
      inFlight.acquire();
      put(random.nextInt(keys), version, bytes).whenComplete((done, error) -> inFlight.release());
    }
  }

  private static synchronized void say(String line) {
    System.out.println(line);
    System.out.flush();
  }
}
