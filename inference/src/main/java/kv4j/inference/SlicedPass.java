package kv4j.inference;

import java.util.Optional;
import kv4j.inference.pass.ForwardPass;
import kv4j.inference.plan.Plan;

/**
 * A forward pass that {@link InferenceEngine#begin runs} layer by layer, with others in between.
 * Until its end, its sequences must be in no other pass. Used by one thread at a time.
 */
public final class SlicedPass implements AutoCloseable {
  private final InferenceEngine engine;
  private final ForwardPass pass;
  private final Plan.Slices slices; // null if it runs as a whole

  SlicedPass(InferenceEngine engine, ForwardPass pass, Plan.Slices slices) {
    this.engine = engine;
    this.pass = pass;
    this.slices = slices;
  }

  /**
   * Runs a layer. After the last one, or if it throws, the pass has come to its end.
   *
   * @return logits of the rows asked for, in order, {@code [rows][vocabulary]}; nothing before the
   *     last layer
   * @throws IllegalStateException if logits are not finite, the pass has come to its end, or the
   *     engine was closed
   */
  public Optional<float[][]> advance() {
    if (slices == null) {
      return Optional.of(engine.forward(pass));
    }
    Optional<float[][]> logits = slices.advance();
    logits.ifPresent(InferenceEngine::requireFinite);
    return logits;
  }

  /**
   * Gives the pass up if it has not come to its end. Its sequences can then only be committed, as
   * far as they were in place before, and closed. May be called more than once.
   */
  @Override
  public void close() {
    if (slices != null) {
      slices.close();
    }
  }
}
