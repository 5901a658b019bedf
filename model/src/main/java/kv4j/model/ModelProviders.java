package kv4j.model;

import java.util.Map;
import java.util.ServiceLoader;
import java.util.TreeMap;

/** The models of one's own that can be picked by name. */
public final class ModelProviders {
  private ModelProviders() {}

  /**
   * All providers by name, as the given loader sees them.
   *
   * @throws IllegalArgumentException if two have the same name
   */
  public static Map<String, ModelProvider> providers(ClassLoader loader) {
    Map<String, ModelProvider> providers = new TreeMap<>();
    for (ModelProvider provider : ServiceLoader.load(ModelProvider.class, loader)) {
      ModelProvider other = providers.put(provider.name(), provider);
      if (other != null) {
        throw new IllegalArgumentException(
            "two models are named "
                + provider.name()
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
   * @throws IllegalArgumentException if there is none of that name, or it refuses the argument
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
    Model model;
    try {
      model = provider.create(argument);
    } catch (IllegalArgumentException e) { // its own words
      throw e;
    } catch (RuntimeException e) {
      throw new IllegalArgumentException(
          "the provider of the model %s, %s, failed: %s"
              .formatted(name, provider.getClass().getName(), e),
          e);
    }
    if (model == null) {
      throw new IllegalArgumentException(
          "the provider of the model "
              + name
              + ", "
              + provider.getClass().getName()
              + ", made none");
    }
    return model;
  }
}
