package kv4j.apps.measure;

import java.util.Optional;
import kv4j.apps.workload.Rounding;
import kv4j.cache.KvCache;
import kv4j.cache.KvCacheConfig;
import kv4j.cache.basic.RequestCacheProvider;
import kv4j.cache.block.KvDtype;
import kv4j.cache.block.KvLayout;
import kv4j.inference.GenerationRequest;
import kv4j.inference.GenerationResult;
import kv4j.inference.Generator;
import kv4j.inference.InferenceEngine;

/** Compares runs whose cache keeps fewer bits with runs in 32-bit floats. */
final class RoundingTally {
  private final KvLayout layout;
  private final KvLayout exactLayout;
  private final Generator exact;
  private double maxDifference;
  private long tokens;
  private long unchanged;

  private RoundingTally(InferenceEngine engine, KvLayout layout) {
    this.layout = layout;
    exactLayout = engine.layout(layout.blockTokens(), KvDtype.F32);
    KvCache cache =
        new RequestCacheProvider().create(KvCacheConfig.of(exactLayout, Long.MAX_VALUE));
    exact = new Generator(engine, cache);
  }

  /** Empty where the layout rounds nothing. */
  static Optional<RoundingTally> of(InferenceEngine engine, KvLayout layout) {
    return layout.dtype() == KvDtype.F32
        ? Optional.empty()
        : Optional.of(new RoundingTally(engine, layout));
  }

  /** Runs a request in 32-bit floats and compares. */
  void compare(GenerationRequest request, GenerationResult rounded) {
    GenerationResult reference = exact.generate(request, true);
    boolean same = true;
    for (int step = 0; step < reference.tokens().length; step++) {
      if (same) {
        float[] expected = reference.logits()[step];
        float[] actual = rounded.logits()[step];
        for (int i = 0; i < expected.length; i++) {
          maxDifference = Math.max(maxDifference, Math.abs((double) expected[i] - actual[i]));
        }
      }
      tokens++;
      if (reference.tokens()[step] == rounded.tokens()[step]) {
        unchanged++;
      } else {
        same = false;
      }
    }
  }

  Rounding result() {
    return new Rounding(
        layout.dtype().toString(),
        layout.bytesPerToken(),
        exactLayout.bytesPerToken(),
        maxDifference,
        (double) unchanged / tokens);
  }
}
