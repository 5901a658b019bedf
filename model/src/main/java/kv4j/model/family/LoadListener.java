package kv4j.model.family;

/** Told of a model being loaded, on the thread that loads it. */
@FunctionalInterface
public interface LoadListener {
  LoadListener NONE = info -> {};

  /** Called before any memory is taken. */
  void started(ModelInfo info);

  /**
   * Called after each weight.
   *
   * @param bytes of the {@link ModelInfo#weightBytes()} now in place
   */
  default void progressed(long bytes) {}
}
