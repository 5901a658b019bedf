package kv4j.cache.store;

import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import java.util.Optional;

/**
 * How the processes of a cluster find each other, and how many of them keep each value.
 *
 * @param owners processes that keep each value, at least 1: so many but one may be lost at once
 * @param discovery how they find each other
 * @param bind where this process listens for the others, {@code host} or {@code host:port}; empty:
 *     at the loopback address, or wherever a file of one's own says
 */
public record ClusterOptions(int owners, Discovery discovery, Optional<String> bind) {
  /** How processes find each other. */
  public sealed interface Discovery {
    /**
     * Others at known addresses.
     *
     * @param peers {@code host:port} each; this process may be among them. Empty: processes of this
     *     machine, at the first ports from the usual one on
     */
    record Peers(List<String> peers) implements Discovery {
      public Peers {
        peers = List.copyOf(peers);
      }
    }

    /** Whoever answers to UDP multicast. */
    record Multicast() implements Discovery {}

    /**
     * All addresses of a DNS name, such as a headless service's of Kubernetes.
     *
     * @param name to look up
     */
    record Dns(String name) implements Discovery {}

    /**
     * Whatever a JGroups configuration of one's own says.
     *
     * @param file in JGroups' XML
     */
    record File(Path file) implements Discovery {}
  }

  /** Processes of this machine, with each value at one of them. */
  public static final ClusterOptions LOOPBACK =
      new ClusterOptions(1, new Discovery.Peers(List.of()), Optional.empty());

  public ClusterOptions {
    Objects.requireNonNull(discovery);
    Objects.requireNonNull(bind);
    if (owners < 1) {
      throw new IllegalArgumentException("at least 1 process must keep each value, not " + owners);
    }
  }
}
