package kv4j.inference;

/**
 * How the engine runs.
 *
 * @param threads worker threads, at least 1
 * @param prefillChunk most new tokens of a sequence in one forward pass, at least 1
 * @param fuse whether the graph's ops are compiled to kv4j's own steps; if not, each runs as
 *     SameDiff runs it, on whatever device ND4J has
 */
public record EngineOptions(int threads, int prefillChunk, boolean fuse) {
  public EngineOptions {
    if (threads < 1) {
      throw new IllegalArgumentException("threads must be at least 1, not " + threads);
    }
    if (prefillChunk < 1) {
      throw new IllegalArgumentException("prefill chunk must be at least 1, not " + prefillChunk);
    }
  }

  public EngineOptions(int threads, int prefillChunk) {
    this(threads, prefillChunk, true);
  }

  /** One thread per processor, chunks of 512 tokens. */
  public static EngineOptions defaults() {
    return new EngineOptions(Runtime.getRuntime().availableProcessors(), 512, true);
  }
}
