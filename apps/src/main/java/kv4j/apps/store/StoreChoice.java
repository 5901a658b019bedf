package kv4j.apps.store;

import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import kv4j.apps.cli.ValueOption;
import kv4j.apps.cli.Values;
import kv4j.cache.block.KvDtype;
import kv4j.cache.store.BlockStore;
import kv4j.cache.store.BlockStores;
import kv4j.cache.store.StoreConfig;
import org.apache.commons.cli.CommandLine;
import org.apache.commons.cli.Option;
import org.apache.commons.cli.Options;

/**
 * The store behind a cache, how the cache uses it, and the options that ask for both.
 *
 * @param spec which store
 * @param when blocks go there
 * @param minTokens chains of fewer tokens do not
 * @param dtype how numbers are kept there; empty: as the cache keeps them
 * @param deadline longest that a request waits for it
 */
public record StoreChoice(
    StoreSpec spec,
    StoreConfig.When when,
    int minTokens,
    Optional<KvDtype> dtype,
    Duration deadline) {
  private static final String NONE = "none";

  /** Which. */
  public static final ValueOption<String> STORE =
      ValueOption.of(
          "store",
          "STORE",
          "where to keep blocks beyond memory and the end: none, disk:DIR, cluster:NAME, both as"
              + " cluster:NAME,disk:DIR, or KIND:... of a jar",
          NONE,
          Values::text);

  private static final ValueOption<StoreConfig.When> WHEN =
      ValueOption.oneOf(
          "store-when",
          "WHEN",
          "when blocks go to the store: commit, as soon as they are computed, or evict, when memory"
              + " lets them go",
          "commit",
          StoreConfig.When.class);
  private static final ValueOption<Integer> MIN_TOKENS =
      ValueOption.of(
          "store-min-tokens",
          "N",
          "shortest prefix that goes to the store",
          64,
          Values::positiveInt);
  private static final ValueOption<KvDtype> DTYPE =
      ValueOption.<KvDtype>optional(
              "store-dtype",
              "TYPE",
              "how the store keeps numbers: "
                  + Values.names(KvDtype.class, ", ")
                  + "; with fewer bits than the cache, what comes back is not exact (default: as"
                  + " --cache-dtype)",
              text -> Values.oneOf(KvDtype.class, text))
          .withChoices(Values.names(KvDtype.class));
  private static final ValueOption<Duration> DEADLINE =
      ValueOption.of(
          "store-deadline",
          "TIME",
          "longest that a request waits for the store, before it computes instead",
          "2s",
          Values::duration);

  /** Adds all options. */
  public static void addTo(Options options) {
    options.addOption(STORE.option());
    ofStores().forEach(options::addOption);
  }

  /** Those that mean nothing without a store. */
  private static List<Option> ofStores() {
    return Stream.concat(
            Stream.of(WHEN.option(), MIN_TOKENS.option(), DTYPE.option(), DEADLINE.option()),
            StoreSpec.openingOptions().stream())
        .toList();
  }

  /**
   * Reads them.
   *
   * @return empty if there is to be no store
   * @throws IllegalArgumentException with one sentence if one is wrong, or there is no store that
   *     it could be of
   */
  public static Optional<StoreChoice> read(CommandLine line) {
    String text = STORE.in(line);
    if (text.equals(NONE)) {
      for (Option option : ofStores()) {
        if (line.hasOption(option.getLongOpt())) {
          throw new IllegalArgumentException("--%s needs --store".formatted(option.getLongOpt()));
        }
      }
      return Optional.empty();
    }
    return Optional.of(
        new StoreChoice(
            StoreSpec.read(text, line),
            WHEN.in(line),
            MIN_TOKENS.in(line),
            DTYPE.find(line),
            DEADLINE.in(line)));
  }

  /** Whether a kind of store is asked for that only a plug-in can have. */
  public static boolean isForeign(CommandLine line) {
    ClassLoader own = StoreChoice.class.getClassLoader();
    return read(line)
        .filter(wanted -> !BlockStores.providers(own).containsKey(wanted.spec.kind()))
        .isPresent();
  }

  /**
   * How a cache uses the store.
   *
   * @param ofCache how the cache keeps numbers
   */
  StoreConfig config(BlockStore store, KvDtype ofCache) {
    return new StoreConfig(store, when, minTokens, dtype.orElse(ofCache), deadline);
  }
}
