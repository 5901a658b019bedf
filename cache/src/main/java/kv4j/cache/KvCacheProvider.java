package kv4j.cache;

import java.util.EnumSet;
import java.util.Optional;
import java.util.Set;
import kv4j.cache.block.KvLayout;

/** Makes caches of one kind; found with {@link java.util.ServiceLoader} and picked by name. */
public interface KvCacheProvider {
  /** A part of a configuration or of a request that matters to some caches and not to others. */
  enum Setting {
    /** {@link KvCacheConfig#maxBytes()}. */
    SIZE_LIMIT,
    /** {@link KvCacheConfig#timeToLive()}. */
    TIME_TO_LIVE,
    /** {@link KvCacheConfig#policy()}. */
    POLICY,
    /** {@link KvRequest#namespace()} and {@link KvRequest#salt()}. */
    TENANTS,
    /** {@link KvCacheConfig#store()}. */
    STORE
  }

  /** The name after {@code --cache}: lower-case letters, digits and hyphens. */
  String name();

  /** One line for {@code --help}. */
  String description();

  /**
   * @throws IllegalArgumentException with one clear sentence if the configuration does not fit
   */
  KvCache create(KvCacheConfig config);

  /**
   * The settings that make a difference to caches of this kind; programs refuse others. Unless a
   * kind says otherwise, all but a store.
   */
  default Set<Setting> settings() {
    return EnumSet.complementOf(EnumSet.of(Setting.STORE));
  }

  /**
   * The least size limit with which it can keep anything of requests that share a prefix, in bytes.
   *
   * @param sharedPrefixTokens leading tokens that requests name as shared
   */
  default long leastBytes(KvLayout layout, int sharedPrefixTokens) {
    return 1;
  }

  /** What its caches must find, worked out on paper; empty if nobody has said. */
  default Optional<ExpectedHits> expectedHits() {
    return Optional.empty();
  }
}
