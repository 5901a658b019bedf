package kv4j.model;

/** Makes models of one kind; found with {@link java.util.ServiceLoader} and picked by name. */
public interface ModelProvider {
  /** Lower-case letters, digits and hyphens. */
  String name();

  /** One line for people: what it makes, and what its argument means. */
  String description();

  /**
   * Makes a model: one of {@link TransformerGraph}'s, or of any other graph that {@link
   * Model#ofGraph} takes.
   *
   * @param argument what the user gave beside the name, as the provider understands it: a seed, a
   *     file; empty: nothing
   * @throws IllegalArgumentException with one clear sentence if the argument does not fit
   */
  Model create(String argument);
}
