package kv4j.cache.store;

import java.util.EnumSet;
import java.util.Set;

/** Opens stores of one kind; found with {@link java.util.ServiceLoader} and picked by name. */
public interface BlockStoreProvider {
  /** A part of the options that matters to some stores and not to others. */
  enum Setting {
    /** {@link StoreOptions#maxBytes()}. */
    SIZE_LIMIT,
    /** {@link StoreOptions#timeToLive()}. */
    TIME_TO_LIVE,
    /** {@link StoreOptions#cluster()}. */
    CLUSTER
  }

  /** The name before the colon of {@code --store}: lower-case letters, digits and hyphens. */
  String name();

  /** One line for {@code --help}. */
  String description();

  /**
   * Opens a store. What can be told at once is told at once: a folder that cannot be written to, or
   * that another process has open. What takes long goes on in the background until {@link
   * BlockStore#ready}.
   *
   * @throws IllegalArgumentException with one clear sentence if it cannot be opened
   */
  BlockStore open(StoreOptions options);

  /** The settings that stores of this kind heed; others are refused. */
  default Set<Setting> settings() {
    return EnumSet.allOf(Setting.class);
  }
}
