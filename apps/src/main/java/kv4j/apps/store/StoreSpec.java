package kv4j.apps.store;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.stream.Stream;
import javax.crypto.SecretKey;
import javax.crypto.spec.SecretKeySpec;
import kv4j.apps.cli.ValueOption;
import kv4j.apps.cli.Values;
import kv4j.cache.store.BlockStore;
import kv4j.cache.store.BlockStores;
import kv4j.cache.store.StoreOptions;
import org.apache.commons.cli.CommandLine;
import org.apache.commons.cli.Option;

/**
 * Which store, and the options that say how to open it.
 *
 * @param kind of store, by name
 * @param options for it
 * @param key by which all that is kept there is encrypted; empty: it is not
 */
public record StoreSpec(String kind, StoreOptions options, Optional<SecretKey> key) {
  private static final int KEY_BYTES = 32;

  private static final ValueOption<Long> BYTES =
      ValueOption.optional(
          "store-bytes", "SIZE", "most the store keeps (default: no limit)", Values::bytes);
  private static final ValueOption<Duration> TTL =
      ValueOption.optional(
          "store-ttl",
          "TIME",
          "how long the store keeps a block (default: for ever)",
          Values::duration);
  private static final ValueOption<SecretKey> ENCRYPT =
      ValueOption.optional(
          "store-encrypt",
          "FILE",
          "encrypt what is stored, with the key of 32 bytes or 64 hexadecimal digits in this file",
          StoreSpec::key);

  /** All options that {@link #read} reads. */
  static List<Option> openingOptions() {
    return Stream.concat(
            Stream.of(BYTES.option(), TTL.option(), ENCRYPT.option()),
            ClusterChoice.options().stream())
        .toList();
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
    return new StoreSpec(parts[0], options, ENCRYPT.find(line));
  }

  /**
   * Opens it, as far as that is done at once: see {@link BlockStore#ready}.
   *
   * @param loader where kinds of stores are looked for
   * @throws IllegalArgumentException with one sentence if there is no such kind, it does not heed
   *     an option, or the store cannot be opened
   */
  BlockStore open(ClassLoader loader) {
    return BlockStores.open(kind, options, loader);
  }

  private static SecretKey key(String name) {
    byte[] bytes;
    try {
      bytes = Files.readAllBytes(Path.of(Values.text(name)));
    } catch (IOException e) {
      throw new IllegalArgumentException("cannot read " + name, e);
    }
    if (bytes.length != KEY_BYTES) {
      String text = new String(bytes, StandardCharsets.ISO_8859_1).strip();
      if (!text.matches("[0-9a-fA-F]{" + 2 * KEY_BYTES + "}")) {
        throw new IllegalArgumentException(
            "needs a file of %d bytes or %d hexadecimal digits, which %s is not"
                .formatted(KEY_BYTES, 2 * KEY_BYTES, name));
      }
      bytes = HexFormat.of().parseHex(text);
    }
    return new SecretKeySpec(bytes, "AES");
  }

  /** As it would be typed. */
  @Override
  public String toString() {
    return options.argument().isEmpty() ? kind : kind + ":" + options.argument();
  }
}
