package kv4j.model;

import java.util.Map;
import java.util.ServiceLoader;
import java.util.TreeMap;
import java.util.function.Supplier;

/** The models of one's own that can be picked by name. */
public final class ModelProviders {
  private ModelProviders() {}

  /**
   * All providers by name, as the given loader sees them.
   *
   * @throws IllegalArgumentException if two have the same name, or one has none
   */
  public static Map<String, ModelProvider> providers(ClassLoader loader) {
    Map<String, ModelProvider> providers = new TreeMap<>();
    for (ModelProvider provider : ServiceLoader.load(ModelProvider.class, loader)) {
      String name = ask(provider, provider::name, "has no name");
      ModelProvider other = providers.put(name, provider);
      if (other != null) {
        throw new IllegalArgumentException(
            "two models are named "
                + name
                + ": "
                + other.getClass().getName()
                + " and "
                + provider.getClass().getName());
      }
    }
    return providers;
  }

  /**
   * Makes the model of a given name.
   *
   * @param argument what the provider makes it from; empty: nothing
   * @throws IllegalArgumentException if there is none of that name, or it refuses the argument or
   *     fails
   */
  public static Model create(String name, String argument, ClassLoader loader) {
    Map<String, ModelProvider> providers = providers(loader);
    ModelProvider provider = providers.get(name);
    if (provider == null) {
      throw new IllegalArgumentException(
          "there is no model named "
              + name
              + (providers.isEmpty()
                  ? ", nor any other"
                  : "; there are " + String.join(", ", providers.keySet())));
    }
    return ask(provider, () -> provider.create(argument), "made none");
  }

  /** What a provider answers. It may be anybody's, so that people are told whose failure it is. */
  private static <T> T ask(ModelProvider provider, Supplier<T> question, String none) {
    String who = "the model provider " + provider.getClass().getName() + " ";
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
