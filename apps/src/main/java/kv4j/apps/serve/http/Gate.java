package kv4j.apps.serve.http;

import io.javalin.http.Context;
import java.net.URI;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import kv4j.apps.serve.openai.RequestException;

/**
 * Lets requests in. Generating needs an API key if there are any; what concerns all tenants needs
 * the admin key, and is open only where there are no keys at all. Requests that a web page of
 * somebody else's makes are refused, by the {@code Origin} that browsers add; without keys, so are
 * those for another host's name, by which such a page could make itself look like this server's.
 */
public final class Gate {
  private static final String BEARER = "bearer ";
  private final Keys keys;

  public Gate(Keys keys) {
    this.keys = keys;
  }

  /**
   * Refuses what comes from other sites' pages.
   *
   * @throws RequestException if it does
   */
  public void checkOrigin(Context ctx) {
    String origin = ctx.header("Origin");
    String host = Optional.ofNullable(ctx.header("Host")).orElse("").toLowerCase(Locale.ROOT);
    if (origin != null && !authority(origin).equals(host)) {
      throw RequestException.of(
          403, "foreign_origin", "requests from pages of other sites are not let in");
    }
    if (!keys.areNeeded() && !isLoopback(host)) {
      throw RequestException.of(
          403, "foreign_host", "a server without API keys is reached by a loopback address only");
    }
  }

  private static String authority(String origin) {
    try {
      return Optional.ofNullable(URI.create(origin).getRawAuthority())
          .orElse("")
          .toLowerCase(Locale.ROOT);
    } catch (IllegalArgumentException e) {
      return "";
    }
  }

  private static boolean isLoopback(String host) {
    String name = host.replaceFirst(":\\d*$", "");
    return name.equals("localhost") || name.equals("[::1]") || name.matches("127(\\.\\d+){3}");
  }

  /**
   * The tenant that a request is of.
   *
   * @throws RequestException if it has no key that is known
   */
  public String tenant(Context ctx) {
    return keys.tenant(key(ctx)).orElseThrow(Gate::unknown);
  }

  /** The names of all tenants there are. */
  public Set<String> tenants() {
    return keys.tenants();
  }

  /**
   * Lets in who may do what concerns all tenants.
   *
   * @throws RequestException if the request is not theirs
   */
  public void requireAdmin(Context ctx) {
    if (!keys.haveAdmin() && !keys.areNeeded()) {
      return;
    }
    Optional<String> key = key(ctx);
    if (!keys.haveAdmin()) {
      tenant(ctx);
      throw RequestException.of(
          403, "no_admin_key", "this needs the admin key, and the server has none: --admin-key");
    }
    if (!keys.isAdmin(key)) {
      if (keys.areNeeded() && keys.tenant(key).isPresent()) {
        throw RequestException.of(403, "admin_key_needed", "this needs the admin key");
      }
      throw unknown();
    }
  }

  /**
   * What of the cache a request may see: all of it with the admin key, or where there are no keys;
   * a tenant's own with the tenant's.
   *
   * @throws RequestException if it may see nothing
   */
  public View view(Context ctx) {
    Optional<String> key = key(ctx);
    if (keys.isAdmin(key) || !keys.haveAdmin() && !keys.areNeeded()) {
      return View.ALL;
    }
    if (!keys.areNeeded()) {
      throw unknown();
    }
    return View.of(tenant(ctx));
  }

  /**
   * Lets in who has any of the keys there are.
   *
   * @throws RequestException if the request has none
   */
  public void requireAny(Context ctx) {
    if (!keys.isAdmin(key(ctx))) {
      tenant(ctx);
    }
  }

  private static Optional<String> key(Context ctx) {
    String header = ctx.header("Authorization");
    return header != null && header.toLowerCase(Locale.ROOT).startsWith(BEARER)
        ? Optional.of(header.substring(BEARER.length()).strip())
        : Optional.empty();
  }

  private static RequestException unknown() {
    return RequestException.of(
        401, "invalid_api_key", "the request needs a known key: Authorization: Bearer KEY");
  }
}
