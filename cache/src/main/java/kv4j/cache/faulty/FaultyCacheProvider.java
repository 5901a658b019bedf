package kv4j.cache.faulty;

import java.util.EnumSet;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import kv4j.cache.ExpectedHits;
import kv4j.cache.KvCache;
import kv4j.cache.KvCacheConfig;
import kv4j.cache.KvCacheProvider;
import kv4j.cache.block.KvLayout;

/**
 * {@code faulty:over=radix:part=values:layer=3}: another kind of cache with a {@link Fault}. It is
 * no service: nobody gets it who has not asked for it by this name.
 *
 * @param name as it was asked for
 * @param over makes the caches that have the fault
 */
public record FaultyCacheProvider(String name, KvCacheProvider over, Fault fault)
    implements KvCacheProvider {
  /** What the name begins with. */
  public static final String NAME = "faulty";

  private static final String USUALLY_OVER = "radix";
  private static final String KEYS = "over, part, layer, head, token, amount and seed";

  /** Whether a cache is asked for by this name. */
  public static boolean isNamedBy(String name) {
    return name.equals(NAME) || name.startsWith(NAME + ":");
  }

  /**
   * Reads a name.
   *
   * @param caches finds the kinds of caches by their names
   * @throws IllegalArgumentException with one sentence if something in it is wrong
   */
  public static FaultyCacheProvider of(String name, Function<String, KvCacheProvider> caches) {
    Fault fault = Fault.USUAL;
    String over = USUALLY_OVER;
    String[] words = name.split(":", -1);
    for (int i = 1; i < words.length; i++) {
      String[] pair = words[i].split("=", 2);
      String value = pair.length == 2 ? pair[1] : "";
      try {
        switch (pair[0]) {
          case "over" -> over = value;
          case "part" -> fault = fault.withPart(part(value));
          case "layer" -> fault = fault.withLayer(Integer.parseInt(value));
          case "head" -> fault = fault.withHead(Integer.parseInt(value));
          case "token" -> fault = fault.withToken(Integer.parseInt(value));
          case "amount" -> fault = fault.withAmount(Double.parseDouble(value));
          case "seed" -> fault = fault.withSeed(Long.parseLong(value));
          default ->
              throw new IllegalArgumentException(
                  "the cache %s is told %s, not \"%s\"".formatted(NAME, KEYS, words[i]));
        }
      } catch (NumberFormatException e) {
        throw new IllegalArgumentException(
            "the %s of the cache %s must be a number, not \"%s\"".formatted(pair[0], NAME, value),
            e);
      }
    }
    return new FaultyCacheProvider(name, caches.apply(over), fault);
  }

  private static Fault.Part part(String value) {
    return switch (value) {
      case "keys" -> Fault.Part.KEYS;
      case "values" -> Fault.Part.VALUES;
      default ->
          throw new IllegalArgumentException(
              "the part of the cache %s must be keys or values, not \"%s\"".formatted(NAME, value));
    };
  }

  @Override
  public String description() {
    return "wrong on purpose: " + fault;
  }

  /**
   * {@inheritDoc}
   *
   * @throws IllegalArgumentException also if there is a store, in which wrong keys and values would
   *     outlive the cache
   */
  @Override
  public KvCache create(KvCacheConfig config) {
    if (config.store().isPresent()) {
      throw new IllegalArgumentException("a cache that is wrong on purpose has no store behind it");
    }
    return new FaultyKvCache(over.create(config), fault);
  }

  @Override
  public Set<Setting> settings() {
    Set<Setting> settings = EnumSet.noneOf(Setting.class);
    settings.addAll(over.settings());
    settings.remove(Setting.STORE);
    return settings;
  }

  @Override
  public long leastBytes(KvLayout layout, int sharedPrefixTokens) {
    return over.leastBytes(layout, sharedPrefixTokens);
  }

  @Override
  public Optional<ExpectedHits> expectedHits() {
    return over.expectedHits();
  }
}
