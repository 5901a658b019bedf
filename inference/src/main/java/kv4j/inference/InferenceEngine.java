package kv4j.inference;

import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import kv4j.cache.KvCache;
import kv4j.cache.KvCacheConfig;
import kv4j.cache.KvRequest;
import kv4j.cache.KvSequence;
import kv4j.cache.basic.RequestCacheProvider;
import kv4j.cache.block.KvDtype;
import kv4j.cache.block.KvLayout;
import kv4j.inference.kernel.Kernels;
import kv4j.inference.pass.ForwardPass;
import kv4j.inference.plan.Plan;
import kv4j.inference.plan.PlanCompiler;
import kv4j.inference.plan.graph.UnsupportedGraphException;
import kv4j.model.GraphNames;
import kv4j.model.Model;
import kv4j.model.TransformerConfig;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/**
 * Runs a model's SameDiff graph over the new tokens of sequences, calling each sequence's cache at
 * every attention layer. Safe for use by many threads; one forward pass runs at a time, on all
 * worker threads. A long one can be {@link #begin begun} and left between layers for others.
 *
 * <p>While an engine is open, {@code graph.output(placeholders, "logits")} on its graph runs
 * through the engine as well.
 *
 * <p>What it takes in memory is in {@link kv4j.model.MemoryFormula}.
 */
public final class InferenceEngine implements AutoCloseable {
  private final Model model;
  private final EngineOptions options;
  private final Plan plan;

  private InferenceEngine(Model model, EngineOptions options, Plan plan) {
    this.model = model;
    this.options = options;
    this.plan = plan;
  }

  /**
   * Compiles a model's graph and starts the worker threads.
   *
   * @throws IllegalArgumentException if the graph has something no plan can do, or cannot be cached
   * @throws IllegalStateException if the graph has an open engine already
   */
  public static InferenceEngine create(Model model, EngineOptions options) {
    boolean onCpu = Nd4j.getEnvironment().isCPU(); // kv4j's own steps compute there alone
    boolean fuse = options.fuse() && onCpu;
    Plan plan = compile(model, options, fuse);
    InferenceEngine engine = new InferenceEngine(model, options, plan);
    try {
      PlanSession.register(model.graph(), engine);
    } catch (RuntimeException e) {
      plan.close();
      throw e;
    }
    return engine;
  }

  /**
   * A plan that gives the logits of SameDiff's own session: compared with it for graphs that kv4j
   * did not build, whose names may promise more than they keep, and for those that were changed
   * since. Of the latter only ops without a step can mix rows, so that a graph of ours that is all
   * fused is right as it is.
   */
  private static Plan compile(Model model, EngineOptions options, boolean fuse) {
    Plan plan;
    try {
      plan = compile(model, options, fuse, options.fuse() ? "" : "fusing is switched off");
    } catch (UnsupportedGraphException e) {
      plan = compile(model, options, false, e.getMessage()); // or it is refused there too
    }
    if (model.ownGraph() && plan.allFused()) {
      return plan;
    }
    try {
      GraphProbe probe = new GraphProbe(model);
      if (fuse && !probe.agreesOnWholes(plan)) {
        plan.close();
        plan =
            compile(
                model,
                options,
                false,
                "steps of kv4j's own gave other logits than SameDiff's own session");
      }
      if (!probe.agreesOnWholes(plan)) {
        throw new IllegalArgumentException(
            "the graph's logits are others when its ops are run one by one");
      }
      if (!probe.agreesOnPasses(plan)) {
        throw new IllegalArgumentException(
            "the graph cannot be cached: with a past it gives other logits than for the whole"
                + " sequence; either it attends to later tokens, or something besides keys, values"
                + " and mask depends on earlier ones");
      }
      return plan;
    } catch (RuntimeException | Error e) {
      plan.close();
      throw e;
    }
  }

  private static Plan compile(Model model, EngineOptions options, boolean fuse, String whyNot) {
    return PlanCompiler.compile(
        model.graph(), model.config(), Kernels.best(), options.threads(), fuse, whyNot);
  }

  public Model model() {
    return model;
  }

  public EngineOptions options() {
    return options;
  }

  /** The shape of this model's keys and values. */
  public KvLayout layout(int blockTokens, KvDtype dtype) {
    TransformerConfig config = model.config();
    return new KvLayout(config.layers(), config.kvHeads(), config.headDim(), blockTokens, dtype);
  }

  /**
   * Checks that a cache or a sequence is for this model's keys and values; blocks may have any size
   * and any dtype.
   *
   * @throws IllegalArgumentException if it is not
   */
  public void requireShape(KvLayout other) {
    KvLayout own = layout(other.blockTokens(), other.dtype());
    if (!own.equals(other)) {
      throw new IllegalArgumentException(
          "the cache is for %d layers of %d KV heads of %d, but the model has %d of %d of %d"
              .formatted(
                  other.layers(),
                  other.kvHeads(),
                  other.headDim(),
                  own.layers(),
                  own.kvHeads(),
                  own.headDim()));
    }
  }

  /**
   * Checks that the model can run a request.
   *
   * @throws IllegalArgumentException if prompt and new tokens do not fit the context, or a token is
   *     not in the vocabulary
   */
  public void check(GenerationRequest request) {
    int prompt = request.prompt().length;
    int context = model.config().context();
    if (request.newTokens() > context - prompt) {
      throw new IllegalArgumentException(
          "a prompt of %d tokens and %d new ones do not fit the model's context of %d tokens"
              .formatted(prompt, request.newTokens(), context));
    }
    requireTokens(request.prompt(), 0, prompt);
  }

  private void requireTokens(int[] tokens, int from, int to) {
    int vocabulary = model.config().vocabulary();
    for (int i = from; i < to; i++) {
      if (tokens[i] < 0 || tokens[i] >= vocabulary) {
        throw new IllegalArgumentException(
            "token " + tokens[i] + " is not in the vocabulary of " + vocabulary);
      }
    }
  }

  /**
   * Computes the new tokens of one sequence, in chunks.
   *
   * @param sequence where its keys and values are; its length is {@code from}
   * @param tokens ids from position 0 on
   * @param from first new position
   * @param to end (exclusive) of the new positions
   * @return logits of the last position, {@code [vocabulary]}
   */
  public float[] forward(KvSequence sequence, int[] tokens, int from, int to) {
    int begin = from;
    while (to - begin > options.prefillChunk()) {
      int end = begin + options.prefillChunk();
      forward(segment(sequence, tokens, begin, end, ForwardPass.Logits.NONE));
      begin = end;
    }
    return forward(segment(sequence, tokens, begin, to, ForwardPass.Logits.LAST))[0];
  }

  private static ForwardPass segment(
      KvSequence sequence, int[] tokens, int from, int to, ForwardPass.Logits logits) {
    return new ForwardPass(List.of(new ForwardPass.Segment(sequence, tokens, from, to, logits)));
  }

  /**
   * Runs one forward pass over the new tokens of any number of sequences.
   *
   * @return logits of the rows asked for, in order, {@code [rows][vocabulary]}
   * @throws IllegalArgumentException if a token is not in the vocabulary, a position beyond the
   *     context, or a sequence for keys and values of another shape or with more or fewer tokens in
   *     place; nothing has run then
   * @throws IllegalStateException if logits are not finite
   */
  public float[][] forward(ForwardPass pass) {
    if (pass.segments().size() > 1 && !plan.takesBatches()) {
      return pass.segments().stream()
          .flatMap(segment -> Stream.of(forward(new ForwardPass(List.of(segment)))))
          .toArray(float[][]::new);
    }
    float[][] rows = run(pass);
    requireFinite(rows);
    return rows;
  }

  /**
   * Begins a forward pass that runs layer by layer, so that others can run in between. Only one at
   * a time is left in the middle, and none whose graph has ops without a step: then this one runs
   * as a whole when it is first advanced.
   *
   * @throws IllegalArgumentException as {@link #forward(ForwardPass)}
   */
  public SlicedPass begin(ForwardPass pass) {
    check(pass);
    return new SlicedPass(this, pass, plan.begin(pass).orElse(null));
  }

  /** What is no number cannot be compared, so that any token picked by it would be arbitrary. */
  static void requireFinite(float[][] rows) {
    for (float[] row : rows) {
      float sum = 0; // of zeros, unless one of them is not finite
      for (float logit : row) {
        sum += logit * 0;
      }
      for (int token = 0; sum != 0 && token < row.length; token++) {
        if (!Float.isFinite(row[token])) {
          throw new IllegalStateException(
              "the model's logits are not finite: that of token %d is %s"
                  .formatted(token, row[token]));
        }
      }
    }
  }

  /**
   * Runs the placeholders' tokens as one whole sequence.
   *
   * @return logits {@code [rows, vocabulary]}
   */
  INDArray run(Map<String, INDArray> placeholders) {
    int[] tokens = placeholders.get(GraphNames.TOKENS).toIntVector();
    int[] positions = placeholders.get(GraphNames.POSITIONS).toIntVector();
    for (int i = 0; i < positions.length; i++) {
      if (positions[i] != i) {
        throw new IllegalArgumentException(
            "positions must count from 0, but number " + i + " is " + positions[i]);
      }
    }
    KvCacheConfig config = KvCacheConfig.of(layout(KvLayout.TILE, KvDtype.F32), Long.MAX_VALUE);
    try (KvCache cache = new RequestCacheProvider().create(config);
        KvSequence sequence = cache.open(KvRequest.of(tokens))) {
      return Nd4j.create(run(segment(sequence, tokens, 0, tokens.length, ForwardPass.Logits.ALL)));
    }
  }

  private float[][] run(ForwardPass pass) {
    check(pass);
    return plan.run(pass);
  }

  /** Refuses what the model has no row for before anything runs: not all ops would notice. */
  private void check(ForwardPass pass) {
    TransformerConfig config = model.config();
    for (ForwardPass.Segment segment : pass.segments()) {
      requireShape(segment.sequence().layout());
      if (segment.from() != segment.sequence().length()) {
        throw new IllegalArgumentException(
            "a pass that begins at position %d, but %d tokens of its sequence are in place"
                .formatted(segment.from(), segment.sequence().length()));
      }
      if (segment.to() > config.context()) {
        throw new IllegalArgumentException(
            "position "
                + (segment.to() - 1)
                + " is beyond the model's context of "
                + config.context()
                + " tokens");
      }
      requireTokens(segment.tokens(), segment.from(), segment.to());
    }
  }

  /**
   * The compiled plan, for people: a line that sums up, then which ops of the graph run as which
   * fused step and which run one by one, and why. Layers that are alike are listed once.
   */
  public List<String> describePlan() {
    return plan.outline();
  }

  /** Bytes that forward passes need besides weights and cache. */
  public long arenaBytes() {
    return plan.arenaBytes();
  }

  /** Gives the graph back to SameDiff's own session and frees the arena; the model stays usable. */
  @Override
  public void close() {
    PlanSession.unregister(model.graph(), this);
    plan.close();
  }
}
