package kv4j.cache.plugin;

import java.util.Map;
import java.util.ServiceLoader;
import java.util.TreeMap;
import java.util.function.Function;
import java.util.function.Supplier;

/**
 * Finds providers of one kind by name.
 *
 * @param <P> of a provider
 * @param type of a provider
 * @param kind what each makes, for people: its plural ends in s
 * @param name of a provider
 */
public record Providers<P>(Class<P> type, String kind, Function<P, String> name) {
  /**
   * All by name, as the given loader sees them.
   *
   * @throws IllegalArgumentException if two have the same name, or one has none
   */
  public Map<String, P> all(ClassLoader loader) {
    Map<String, P> providers = new TreeMap<>();
    for (P provider : ServiceLoader.load(type, loader)) {
      String called = ask(provider, () -> name.apply(provider), "has no name");
      P other = providers.put(called, provider);
      if (other != null) {
        throw new IllegalArgumentException(
            "two %ss are named %s: %s and %s"
                .formatted(
                    kind, called, other.getClass().getName(), provider.getClass().getName()));
      }
    }
    return providers;
  }

  /**
   * The one of a name.
   *
   * @throws IllegalArgumentException if there is none, saying which there are
   */
  public P find(String wanted, ClassLoader loader) {
    Map<String, P> providers = all(loader);
    P provider = providers.get(wanted);
    if (provider == null) {
      throw new IllegalArgumentException(
          "there is no %s named %s; there are %s"
              .formatted(kind, wanted, String.join(", ", providers.keySet())));
    }
    return provider;
  }

  /**
   * What a provider answers. It may be anybody's, so that people are told whose failure it is.
   *
   * @param none what it did if it answers nothing
   * @throws IllegalArgumentException if it refuses, in its own words, or fails
   */
  public <T> T ask(P provider, Supplier<T> question, String none) {
    String who = "the " + kind + " provider " + provider.getClass().getName() + " ";
    T answer;
    try {
      answer = question.get();
    } catch (RuntimeException | LinkageError e) {
      if (e instanceof IllegalArgumentException own && own.getMessage() != null) {
        throw own; // a refusal in its own words
      }
      throw new IllegalArgumentException(who + "failed: " + e, e);
    }
    if (answer == null) {
      throw new IllegalArgumentException(who + none);
    }
    return answer;
  }
}
