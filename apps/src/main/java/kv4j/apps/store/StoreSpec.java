package kv4j.apps.store;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.stream.Stream;
import kv4j.apps.cli.ValueOption;
import kv4j.apps.cli.Values;
import kv4j.cache.store.BlockStore;
import kv4j.cache.store.BlockStores;
import kv4j.cache.store.EncryptedStore;
import kv4j.cache.store.StoreOptions;
import kv4j.cache.store.ValueCipher;
import org.apache.commons.cli.CommandLine;
import org.apache.commons.cli.Option;

/**
 * Which store, and the options that say how to open it.
 *
 * @param kind of store, by name
 * @param options for it
 * @param cipher by which all that is kept there is encrypted; empty: it is not
 */
public record StoreSpec(String kind, StoreOptions options, Optional<ValueCipher> cipher) {
  private static final ValueOption<Long> BYTES =
      ValueOption.optional(
          "store-bytes", "SIZE", "most the store keeps (default: no limit)", Values::bytes);
  private static final ValueOption<Duration> TTL =
      ValueOption.optional(
          "store-ttl",
          "TIME",
          "how long the store keeps a block (default: for ever)",
          Values::duration);
  private static final ValueOption<Path> ENCRYPT =
      ValueOption.optional(
          "store-encrypt",
          "FILE",
          "encrypt what is stored, with the 32 bytes in this file, as they are or in hexadecimal or"
              + " Base64",
          Values::path);

  /** All options that {@link #read} reads. */
  static List<Option> openingOptions() {
    return Stream.concat(
            Stream.of(BYTES.option(), TTL.option(), ENCRYPT.option()),
            ClusterChoice.options().stream())
        .toList();
  }

  /**
   * Refuses those that mean nothing for a file.
   *
   * @throws IllegalArgumentException with one sentence if one is given
   */
  static void refuseOptionsOfStores(CommandLine line) {
    for (Option option : openingOptions()) {
      String name = option.getLongOpt();
      if (line.hasOption(name) && !name.equals(ENCRYPT.name())) {
        throw new IllegalArgumentException("--%s needs a store".formatted(name));
      }
    }
  }

  /** What encrypts values, if anything does. */
  static Optional<ValueCipher> cipher(CommandLine line) {
    return ENCRYPT.find(line).map(ValueCipher::ofKeyFile);
  }

  /**
   * A store by its kind and what that makes of the rest, such as {@code disk:DIR}.
   *
   * @throws IllegalArgumentException with one sentence if an option is wrong
   */
  static StoreSpec read(String text, CommandLine line) {
    String[] parts = text.split(":", 2);
    StoreOptions options =
        new StoreOptions(
            parts.length > 1 ? parts[1] : "",
            BYTES.find(line).map(OptionalLong::of).orElseGet(OptionalLong::empty),
            TTL.find(line),
            ClusterChoice.read(line));
    return new StoreSpec(parts[0], options, cipher(line));
  }

  /**
   * Opens it, as far as that is done at once: see {@link BlockStore#ready}.
   *
   * @param loader where kinds of stores are looked for
   * @throws IllegalArgumentException with one sentence if there is no such kind, it does not heed
   *     an option, or the store cannot be opened
   */
  BlockStore open(ClassLoader loader) {
    BlockStore store = openRaw(loader);
    return cipher.<BlockStore>map(c -> new EncryptedStore(store, c)).orElse(store);
  }

  /** The same store with values as they are kept there. */
  BlockStore openRaw(ClassLoader loader) {
    return BlockStores.open(kind, options, loader);
  }

  /** As it would be typed. */
  @Override
  public String toString() {
    return options.argument().isEmpty() ? kind : kind + ":" + options.argument();
  }
}
