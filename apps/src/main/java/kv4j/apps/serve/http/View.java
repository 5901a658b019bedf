package kv4j.apps.serve.http;

import java.util.Optional;

/**
 * What of the cache somebody may see.
 *
 * @param namespace the only one; empty: all
 */
public record View(Optional<String> namespace) {
  /** Everything. */
  public static final View ALL = new View(Optional.empty());

  static View of(String namespace) {
    return new View(Optional.of(namespace));
  }

  /** Whether that is everything. */
  public boolean isAll() {
    return namespace.isEmpty();
  }

  /** Whether what is in a namespace may be seen. */
  public boolean shows(String other) {
    return isAll() || namespace.get().equals(other);
  }
}
