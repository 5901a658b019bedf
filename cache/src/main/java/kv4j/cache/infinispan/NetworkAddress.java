package kv4j.cache.infinispan;

import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Where a process of a cluster listens.
 *
 * @param host name or address, or one of JGroups' words for addresses of this machine
 * @param port 0: not said
 */
record NetworkAddress(String host, int port) {
  static final NetworkAddress LOOPBACK =
      new NetworkAddress(InetAddress.getLoopbackAddress().getHostAddress(), 0);

  private static final Pattern FORM =
      Pattern.compile("(?:\\[([^\\[\\]]+)]|([^:\\[\\]\\s]+))(?::(\\d{1,5}))?");

  /**
   * Reads {@code host} or {@code host:port}; an IPv6 address stands in brackets.
   *
   * @throws IllegalArgumentException with one sentence if a text is neither
   */
  static NetworkAddress of(String text) {
    Matcher form = FORM.matcher(text);
    if (form.matches()) {
      int port = form.group(3) == null ? 0 : Integer.parseInt(form.group(3));
      if (port < 1 << Short.SIZE) {
        return new NetworkAddress(form.group(1) == null ? form.group(2) : form.group(1), port);
      }
    }
    throw new IllegalArgumentException("an address is written host or host:port, not " + text);
  }

  boolean isSameHost(NetworkAddress other) {
    try {
      return host.equals(other.host)
          || InetAddress.getByName(host).equals(InetAddress.getByName(other.host));
    } catch (UnknownHostException e) { // one that is not up yet, perhaps
      return false;
    }
  }
}
