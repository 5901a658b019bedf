package kv4j.apps.serve.http;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;

/**
 * Who may use the server. Each API key belongs to a tenant by name, and each tenant's prefixes are
 * its own. Without any key, whoever reaches the server is its one tenant.
 *
 * <p>A file of keys is read again when it has changed; if it then has a mistake, the keys stay as
 * they were.
 */
public final class Keys {
  private static final String TENANT = "[A-Za-z0-9._-]{1,64}";

  /** The tenant of {@code --api-key}. */
  private static final String ONLY = "default";

  private final Optional<byte[]> single;
  private final Optional<byte[]> admin;
  private final Optional<Path> file;
  private volatile State state = new State(Map.of(), null, -1);

  /** Tenants by the digests of their keys, and the file's state when they were read. */
  private record State(Map<String, byte[]> tenants, FileTime time, long size) {}

  /**
   * @param single the key of a server with one tenant
   * @param file with more, a key and a tenant's name on each line
   * @param admin the key for what concerns all tenants
   * @throws IllegalArgumentException with one sentence if the file will not do
   */
  public Keys(Optional<String> single, Optional<Path> file, Optional<String> admin) {
    this.single = single.map(Keys::digest);
    this.admin = admin.map(Keys::digest);
    this.file = file;
    file.ifPresent(path -> state = read(path));
  }

  /** Whether there are keys at all for those who generate. */
  public boolean areNeeded() {
    return single.isPresent() || file.isPresent();
  }

  /** Whether there is one for what concerns all tenants. */
  public boolean haveAdmin() {
    return admin.isPresent();
  }

  /** Whether a key is the one for what concerns all tenants. */
  public boolean isAdmin(Optional<String> key) {
    return admin.isPresent() && key.isPresent() && same(admin.get(), digest(key.get()));
  }

  /** Whose key it is; the empty name where none is needed. */
  public Optional<String> tenant(Optional<String> key) {
    if (!areNeeded()) {
      return Optional.of("");
    }
    if (key.isEmpty()) {
      return Optional.empty();
    }
    byte[] digest = digest(key.get());
    if (single.isPresent() && same(single.get(), digest)) {
      return Optional.of(ONLY);
    }
    // All are compared, so that how long it takes tells nothing of any.
    Optional<String> tenant = Optional.empty();
    for (Map.Entry<String, byte[]> entry : current().tenants.entrySet()) {
      if (same(entry.getValue(), digest)) {
        tenant = Optional.of(name(entry.getKey()));
      }
    }
    return tenant;
  }

  /** All tenants' names; the empty one alone where no key is needed. */
  public Set<String> tenants() {
    if (!areNeeded()) {
      return Set.of("");
    }
    Set<String> names = new TreeSet<>();
    single.ifPresent(key -> names.add(ONLY));
    current().tenants.keySet().forEach(entry -> names.add(name(entry)));
    return names;
  }

  private static String name(String entry) {
    return entry.substring(0, entry.indexOf(' '));
  }

  private State current() {
    State now = state;
    if (file.isEmpty()) {
      return now;
    }
    try {
      FileTime time = Files.getLastModifiedTime(file.get());
      if (!time.equals(now.time) || Files.size(file.get()) != now.size) {
        now = read(file.get());
        state = now;
      }
    } catch (IOException | IllegalArgumentException e) {
      return now;
    }
    return now;
  }

  private static State read(Path file) {
    try {
      FileTime time = Files.getLastModifiedTime(file);
      byte[] bytes = Files.readAllBytes(file);
      return new State(parse(new String(bytes, StandardCharsets.UTF_8)), time, bytes.length);
    } catch (IOException e) {
      throw new IllegalArgumentException("--api-keys cannot read " + file, e);
    }
  }

  private static Map<String, byte[]> parse(String text) {
    Map<String, byte[]> tenants = new LinkedHashMap<>(); // a tenant may have several keys
    Set<String> keys = new HashSet<>();
    List<String> lines = text.lines().map(String::strip).toList();
    for (int i = 0; i < lines.size(); i++) {
      if (lines.get(i).isEmpty() || lines.get(i).startsWith("#")) {
        continue;
      }
      String[] words = lines.get(i).split("\\s+");
      if (words.length != 2 || !words[1].matches(TENANT)) {
        throw new IllegalArgumentException(
            "--api-keys needs a key and a name on line %d; names have up to 64 letters, digits,"
                    .formatted(i + 1)
                + " dots, dashes and underscores");
      }
      if (!keys.add(words[0])) {
        throw new IllegalArgumentException(
            "--api-keys has the key on line %d twice".formatted(i + 1));
      }
      tenants.put(words[1] + " " + i, digest(words[0]));
    }
    return tenants;
  }

  private static boolean same(byte[] one, byte[] other) {
    return MessageDigest.isEqual(one, other);
  }

  private static byte[] digest(String key) {
    try {
      return MessageDigest.getInstance("SHA-256").digest(key.getBytes(StandardCharsets.UTF_8));
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException(e);
    }
  }
}
