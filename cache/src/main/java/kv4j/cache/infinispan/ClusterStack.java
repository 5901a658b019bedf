package kv4j.cache.infinispan;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.IntSummaryStatistics;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import kv4j.cache.store.ClusterOptions;
import kv4j.cache.store.ClusterOptions.Discovery;
import org.infinispan.manager.DefaultCacheManager;
import org.jgroups.conf.ProtocolConfiguration;
import org.jgroups.conf.ProtocolStackConfigurator;
import org.jgroups.conf.XmlConfigurator;

/**
 * The JGroups protocols by which the processes of a cluster find and reach each other: Infinispan's
 * stack on TCP, with the discovery that is asked for, or the stack of a file. They listen at the
 * loopback address unless told otherwise.
 */
final class ClusterStack {
  private static final String TCP = "/org/infinispan/configuration/default-jgroups-tcp.xml";

  /** The discovery of that stack, by multicast. */
  private static final String MULTICAST = "MPING";

  /** Protocols that listen at an address of their own, which is any unless they are told. */
  private static final Set<String> LISTENERS = Set.of(MULTICAST, "FD_SOCK", "FD_SOCK2");

  /** Where JGroups listens unless told otherwise, and how many ports from there on it tries. */
  private static final int USUAL_PORT = 7800;

  private static final int USUAL_PORTS = 10;

  /**
   * How far above its port a process listens for those who watch it: not at the next free one,
   * which may be the next process's.
   */
  private static final int WATCHING_PORTS = 10_000;

  private final List<ProtocolConfiguration> protocols;

  private ClusterStack(ProtocolStackConfigurator stack) {
    protocols = stack.getProtocolStack();
  }

  /**
   * The protocols that options ask for.
   *
   * @throws IllegalArgumentException with one sentence if an address or a file is none
   */
  static ProtocolStackConfigurator of(ClusterOptions options) {
    Discovery discovery = options.discovery();
    NetworkAddress bind = options.bind().map(NetworkAddress::of).orElse(NetworkAddress.LOOPBACK);
    ProtocolStackConfigurator configurator =
        discovery instanceof Discovery.File own ? read(own.file()) : infinispans();
    ClusterStack stack = new ClusterStack(configurator);
    if (discovery instanceof Discovery.File) {
      stack.bindFile(options, bind);
      return configurator;
    }
    stack.listeners().forEach(listener -> listener.put("bind_addr", bind.host()));
    // A peer that reads nothing must not hold up what is sent to others.
    stack.set("TCP", Map.of("non_blocking_sends", "true"));
    // The usual 40 and 30 seconds are long where a request can do without the store.
    stack.set("FD_ALL3", Map.of("timeout", "12s", "interval", "3s"));
    stack.set("MERGE3", Map.of("min_interval", "3s", "max_interval", "9s"));
    stack.set("FD_SOCK2", Map.of("offset", Integer.toString(WATCHING_PORTS)));
    if (discovery instanceof Discovery.Peers peers) {
      stack.findPeers(peers.peers().stream().map(ClusterStack::peer).toList(), bind);
    } else if (discovery instanceof Discovery.Dns dns) {
      stack.listen(bind.port() == 0 ? USUAL_PORT : bind.port(), 1);
      stack.find("dns.DNS_PING", Map.of("dns_query", dns.name()));
    } else if (bind.port() != 0) {
      stack.listen(bind.port(), 1);
    }
    return configurator;
  }

  private static NetworkAddress peer(String text) {
    NetworkAddress peer = NetworkAddress.of(text);
    if (peer.port() == 0) {
      throw new IllegalArgumentException("a peer is written host:port, not " + text);
    }
    return peer;
  }

  private static ProtocolStackConfigurator infinispans() {
    try (InputStream xml = DefaultCacheManager.class.getResourceAsStream(TCP)) {
      return XmlConfigurator.getInstance(xml);
    } catch (IOException e) {
      throw new IllegalStateException("Infinispan lacks " + TCP, e);
    }
  }

  private static ProtocolStackConfigurator read(Path file) {
    try (InputStream xml = Files.newInputStream(file)) {
      return XmlConfigurator.getInstance(xml);
    } catch (IOException | RuntimeException e) { // JGroups throws what comes
      throw new IllegalArgumentException(
          "the file %s is no JGroups configuration: %s".formatted(file, e), e);
    }
  }

  /** A file says where it listens, or the options do; JGroups' own choice would be the network. */
  private void bindFile(ClusterOptions options, NetworkAddress bind) {
    listeners()
        .forEach(
            listener -> {
              if (options.bind().isPresent()) {
                listener.put("bind_addr", bind.host());
              } else {
                listener.putIfAbsent("bind_addr", bind.host());
              }
            });
    if (bind.port() != 0) {
      protocols.get(0).getProperties().put("bind_port", Integer.toString(bind.port()));
    }
  }

  /** Properties of the protocols that have sockets of their own: the transport is the first. */
  private Stream<Map<String, String>> listeners() {
    return protocols.stream()
        .filter(
            protocol ->
                protocol == protocols.get(0) || LISTENERS.contains(protocol.getProtocolName()))
        .map(ProtocolConfiguration::getProperties);
  }

  private void findPeers(List<NetworkAddress> peers, NetworkAddress bind) {
    List<NetworkAddress> here = peers.stream().filter(bind::isSameHost).toList();
    IntSummaryStatistics ports =
        (here.isEmpty() ? peers : here).stream().mapToInt(NetworkAddress::port).summaryStatistics();
    if (bind.port() != 0) {
      listen(bind.port(), 1);
    } else if (peers.isEmpty()) {
      listen(USUAL_PORT, USUAL_PORTS);
    } else {
      listen(ports.getMin(), ports.getMax() - ports.getMin() + 1);
    }
    String hosts =
        peers.isEmpty()
            ? bind.host() + "[" + USUAL_PORT + "]"
            : peers.stream()
                .map(peer -> peer.host() + "[" + peer.port() + "]")
                .collect(Collectors.joining(","));
    find(
        "TCPPING",
        Map.of(
            "initial_hosts",
            hosts,
            "port_range",
            Integer.toString(peers.isEmpty() ? USUAL_PORTS - 1 : 0)));
  }

  private void listen(int firstPort, int ports) {
    set(
        "TCP",
        Map.of(
            "bind_port", Integer.toString(firstPort), "port_range", Integer.toString(ports - 1)));
  }

  private void find(String discovery, Map<String, String> properties) {
    protocols.replaceAll(
        protocol ->
            protocol.getProtocolName().equals(MULTICAST)
                ? new ProtocolConfiguration(discovery, properties)
                : protocol);
  }

  private void set(String name, Map<String, String> properties) {
    protocols.stream()
        .filter(protocol -> protocol.getProtocolName().equals(name))
        .forEach(protocol -> protocol.getProperties().putAll(properties));
  }
}
