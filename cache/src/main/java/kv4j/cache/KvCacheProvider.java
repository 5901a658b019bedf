package kv4j.cache;

/** Makes caches of one kind; found with {@link java.util.ServiceLoader} and picked by name. */
public interface KvCacheProvider {
  /** The name after {@code --cache}: lower-case letters, digits and hyphens. */
  String name();

  /** One line for {@code --help}. */
  String description();

  /**
   * @throws IllegalArgumentException with one clear sentence if the configuration does not fit
   */
  KvCache create(KvCacheConfig config);
}
