package kv4j.apps.store;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import kv4j.apps.cli.Dispatcher;
import kv4j.apps.cli.ValueOption;
import kv4j.apps.cli.Values;
import kv4j.cache.store.ClusterOptions;
import kv4j.cache.store.ClusterOptions.Discovery;
import org.apache.commons.cli.CommandLine;
import org.apache.commons.cli.Option;

/** The options that say how the processes of a cluster find each other. */
final class ClusterChoice {
  private static final int MOST_OWNERS = 16;
  private static final int MOST_PORT = 65_535;
  private static final String MULTICAST = "cluster-multicast";

  private static final ValueOption<Integer> OWNERS =
      ValueOption.of(
          "store-owners",
          "N",
          "processes of a cluster that keep each block: all but one may be lost at once",
          1,
          text -> Values.intUpTo(MOST_OWNERS, text));
  private static final ValueOption<List<String>> PEERS =
      ValueOption.optional(
          "cluster-peers",
          "LIST",
          "the cluster's processes: host:port,host:port... (default: those of this machine)",
          ClusterChoice::peers);
  private static final ValueOption<String> BIND =
      ValueOption.optional(
          "cluster-bind",
          "HOST",
          "address to be reached at by the others (default: loopback, which no other machine"
              + " reaches)",
          Values::text);
  private static final ValueOption<String> DNS =
      ValueOption.optional(
          "cluster-dns",
          "NAME",
          "a DNS name whose addresses are the cluster's, such as a headless service's of Kubernetes",
          Values::text);
  private static final ValueOption<Path> XML =
      ValueOption.optional(
          "cluster-xml",
          "FILE",
          "JGroups' configuration of your own, with encryption and whatever else it knows",
          Values::path);

  private ClusterChoice() {}

  static List<Option> options() {
    return List.of(
        OWNERS.option(),
        PEERS.option(),
        BIND.option(),
        Dispatcher.flag(MULTICAST, "find the cluster by UDP multicast"),
        DNS.option(),
        XML.option());
  }

  /**
   * What the options say; empty if none is given.
   *
   * @throws IllegalArgumentException with one sentence if one is wrong, or they exclude each other
   */
  static Optional<ClusterOptions> read(CommandLine line) {
    List<String> ways =
        Stream.of(PEERS.name(), MULTICAST, DNS.name(), XML.name()).filter(line::hasOption).toList();
    if (ways.size() > 1) {
      throw new IllegalArgumentException(
          "--%s and --%s exclude each other".formatted(ways.get(0), ways.get(1)));
    }
    if (options().stream().noneMatch(option -> line.hasOption(option.getLongOpt()))) {
      return Optional.empty();
    }
    return Optional.of(new ClusterOptions(OWNERS.in(line), discovery(line), BIND.find(line)));
  }

  private static Discovery discovery(CommandLine line) {
    if (line.hasOption(MULTICAST)) {
      return new Discovery.Multicast();
    }
    Optional<Path> file = XML.find(line);
    if (file.isPresent()) {
      if (!Files.isRegularFile(file.get()) || !Files.isReadable(file.get())) {
        throw new IllegalArgumentException("--cluster-xml cannot read " + file.get());
      }
      return new Discovery.File(file.get());
    }
    return DNS.find(line)
        .<Discovery>map(Discovery.Dns::new)
        .orElseGet(() -> new Discovery.Peers(PEERS.find(line).orElse(List.of())));
  }

  private static List<String> peers(String text) {
    List<String> peers = new ArrayList<>();
    for (String peer : text.split(",", -1)) {
      int colon = peer.lastIndexOf(':');
      if (colon < 1) {
        throw new IllegalArgumentException("must be host:port,host:port..., not \"" + text + "\"");
      }
      try {
        Values.intUpTo(MOST_PORT, peer.substring(colon + 1));
      } catch (IllegalArgumentException e) {
        throw new IllegalArgumentException(
            "has a port, in \"%s\", that %s".formatted(peer, e.getMessage()), e);
      }
      peers.add(peer);
    }
    return peers;
  }
}
