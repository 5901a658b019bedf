package kv4j.model.family;

/** Told of a model being loaded, on the thread that loads it. */
public interface LoadListener {
  LoadListener NONE =
      new LoadListener() {
        @Override
        public void started(ModelInfo info) {}

        @Override
        public void progressed(long bytes) {}
      };

  /** Called before any memory is taken. */
  void started(ModelInfo info);

  /**
   * Called after each weight.
   *
   * @param bytes of the {@link ModelInfo#weightBytes()} now in place
   */
  void progressed(long bytes);
}
