package kv4j.inference;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.Arrays;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.concurrent.CompletableFuture;
import kv4j.cache.KvCache;
import kv4j.cache.KvCacheConfig;
import kv4j.cache.KvCacheProvider;
import kv4j.cache.KvCaches;
import kv4j.cache.KvRequest;
import kv4j.cache.KvSequence;
import kv4j.cache.basic.RequestCacheProvider;
import kv4j.cache.block.KvDtype;
import kv4j.model.ByteTokenizer;
import kv4j.model.DemoModels;
import kv4j.model.GraphNames;
import kv4j.model.Model;
import kv4j.model.Positions;
import kv4j.model.TransformerConfig;
import kv4j.model.TransformerConfig.Activation;
import kv4j.model.TransformerConfig.Biases;
import kv4j.model.TransformerConfig.Block;
import kv4j.model.TransformerConfig.Norm;
import kv4j.model.TransformerConfig.RopePairing;
import kv4j.model.TransformerGraph;
import kv4j.model.TransformerWeights;
import org.nd4j.autodiff.samediff.internal.InferenceSession;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/** Random models and prompts, the reference to hold the engine against, and when both agree. */
public final class EngineTestKit {
  /** Most tokens of a sequence of a random model. */
  static final int CONTEXT = 200;

  /** Enough for anything a test keeps. */
  static final long CACHE_BYTES = 1L << 28;

  private static final double TOLERANCE = 1e-4;

  /** Of each family, and mixed as none has them. */
  private static final List<Block> BLOCKS =
      List.of(
          Block.LLAMA,
          Block.QWEN2,
          Block.QWEN3,
          Block.GPT2,
          new Block(Norm.LAYER, Activation.SWIGLU, Biases.ALL, true),
          new Block(Norm.RMS, Activation.GELU, Biases.QKV, true),
          new Block(Norm.LAYER, Activation.GELU, Biases.NONE, false));

  private EngineTestKit() {}

  /** Something that must hold for all random numbers. */
  public interface Property {
    void check(SplittableRandom random);
  }

  /**
   * Checks a property for several seeds, from the system property {@code kv4j.test.seed} on; a
   * failure names its seed.
   */
  public static void forAll(int cases, Property property) {
    long first = Long.getLong("kv4j.test.seed", 1);
    for (long seed = first; seed < first + cases; seed++) {
      try {
        property.check(new SplittableRandom(seed));
      } catch (RuntimeException | AssertionError e) {
        throw new AssertionError("with -Dkv4j.test.seed=" + seed + ": " + e.getMessage(), e);
      }
    }
  }

  /** A whole number from {@code least} to {@code most}, both included. */
  public static int between(SplittableRandom random, int least, int most) {
    return random.nextInt(least, most + 1);
  }

  /** One of several. */
  public static <T> T oneOf(SplittableRandom random, List<T> choices) {
    return choices.get(random.nextInt(choices.size()));
  }

  /** Any shape that a config allows, with sizes that are rarely a multiple of anything. */
  static TransformerConfig randomConfig(SplittableRandom random) {
    int kvHeads = between(random, 1, 5);
    int heads = kvHeads * between(random, 1, 3);
    Block block = oneOf(random, BLOCKS);
    boolean rotary = block.headNorms() || between(random, 0, 3) > 0;
    int headDim = rotary ? 2 * between(random, 1, 10) : between(random, 1, 20);
    return new TransformerConfig(
        between(random, 1, 6),
        between(random, 5, 70),
        heads,
        kvHeads,
        headDim,
        between(random, 3, 90),
        between(random, 20, 300),
        CONTEXT,
        oneOf(random, List.of(1e-5f, 1e-2f)),
        rotary ? randomRotary(random, headDim) : new Positions.Learned(),
        block,
        random.nextBoolean());
  }

  private static Positions randomRotary(SplittableRandom random, int headDim) {
    float theta = oneOf(random, List.of(100f, 10_000f));
    Positions.Scaling scaling =
        oneOf(
            random,
            List.of(
                Positions.Scaling.NONE,
                new Positions.Linear(2.5f),
                Positions.llama3(theta, headDim, 8, 1, 4, 64)));
    return new Positions.Rotary(theta, oneOf(random, List.of(RopePairing.values())), scaling);
  }

  /** A model of any shape. */
  static Model randomModel(SplittableRandom random) {
    return randomModel(randomConfig(random), random);
  }

  /** A model of a given shape; the norms' gains are random too, unlike a demo model's. */
  public static Model randomModel(TransformerConfig config, SplittableRandom random) {
    long seed = random.nextLong();
    TransformerWeights weights = DemoModels.randomWeights(config, seed);
    weights
        .arrays()
        .forEach(
            (name, array) -> {
              for (int i = 0; name.endsWith("/gain") && i < array.length(); i++) {
                array.putScalar(i, random.nextDouble(0.5, 1.5));
              }
            });
    return new Model(
        config.toString(),
        config,
        TransformerGraph.build(weights),
        new ByteTokenizer(),
        "model " + seed,
        true);
  }

  public static int[] randomTokens(SplittableRandom random, int count, Model model) {
    return random.ints(count, 0, model.config().vocabulary()).toArray();
  }

  /** 1 to 3 threads, chunks of 1 to 64 tokens. */
  static EngineOptions randomOptions(SplittableRandom random) {
    return new EngineOptions(between(random, 1, 3), between(random, 1, 64));
  }

  /** The same, and every op run as SameDiff runs it. */
  static EngineOptions randomUnfusedOptions(SplittableRandom random) {
    return new EngineOptions(between(random, 1, 3), between(random, 8, 64), false);
  }

  /** What goes into a graph for one whole sequence. */
  static Map<String, INDArray> placeholders(int[] tokens) {
    int[] positions = new int[tokens.length];
    for (int i = 0; i < positions.length; i++) {
      positions[i] = i;
    }
    return Map.of(
        GraphNames.TOKENS, Nd4j.createFromArray(tokens),
        GraphNames.POSITIONS, Nd4j.createFromArray(positions));
  }

  /** Logits of every position by SameDiff's own session, {@code [tokens][vocabulary]}. */
  static float[][] stockLogits(Model model, int[] tokens) {
    return new InferenceSession(model.graph())
        .output(List.of(GraphNames.LOGITS), placeholders(tokens), null, List.of(), null, null)
        .get(GraphNames.LOGITS)
        .toFloatMatrix();
  }

  /** Logits of every position, asked of the graph while an engine has it. */
  static float[][] graphLogits(InferenceEngine engine, int[] tokens) {
    return engine
        .model()
        .graph()
        .output(placeholders(tokens), GraphNames.LOGITS)
        .get(GraphNames.LOGITS)
        .toFloatMatrix();
  }

  /** An empty sequence that nothing else shares. */
  static KvSequence newSequence(InferenceEngine engine) {
    KvCache cache = new RequestCacheProvider().create(config(engine, 16, KvDtype.F32));
    return cache.open(KvRequest.of(0));
  }

  public static KvCacheConfig config(InferenceEngine engine, int blockTokens, KvDtype dtype) {
    return KvCacheConfig.of(engine.layout(blockTokens, dtype), CACHE_BYTES);
  }

  /** All caches on the class path that mean to be right, by name. */
  public static Map<String, KvCacheProvider> providers() {
    return KvCaches.providers(EngineTestKit.class.getClassLoader());
  }

  /** How far apart two computations of these logits may be. */
  static double tolerance(float[] logits) {
    double largest = 1;
    for (float logit : logits) {
      largest = Math.max(largest, Math.abs(logit));
    }
    return TOLERANCE * largest;
  }

  static void assertLogits(float[] expected, float[] actual, String what) {
    assertEquals(expected.length, actual.length, what);
    double tolerance = tolerance(expected);
    for (int i = 0; i < expected.length; i++) {
      if (!(Math.abs(expected[i] - actual[i]) <= tolerance)) { // so that NaN fails
        throw new AssertionError(
            what + ": logit " + i + " is " + actual[i] + ", not " + expected[i]);
      }
    }
  }

  static void assertAllLogits(float[][] expected, float[][] actual, String what) {
    assertEquals(expected.length, actual.length, what);
    for (int row = 0; row < expected.length; row++) {
      assertLogits(expected[row], actual[row], what + ", row " + row);
    }
  }

  /** The token is the likeliest one, or so close to it that the tolerance decides. */
  static void assertGreedy(float[] expected, int token, String what) {
    float largest = Float.NEGATIVE_INFINITY;
    for (float logit : expected) {
      largest = Math.max(largest, logit);
    }
    if (largest - expected[token] >= 2 * tolerance(expected)) {
      throw new AssertionError(
          what + ": token " + token + " has logit " + expected[token] + ", not " + largest);
    }
  }

  /** Every token and all its logits are what SameDiff's own session gives for the same text. */
  static void assertMatchesStock(
      Model model, GenerationRequest request, GenerationResult result, String what) {
    int prompt = request.prompt().length;
    float[][] expected = stockLogits(model, text(request, result));
    for (int i = 0; i < result.tokens().length; i++) {
      String which = what + ", new token " + i;
      assertLogits(expected[prompt - 1 + i], result.logits()[i], which);
      assertGreedy(expected[prompt - 1 + i], result.tokens()[i], which);
    }
    assertEquals(request.newTokens(), result.tokens().length, what);
  }

  /** Prompt and generated tokens. */
  static int[] text(GenerationRequest request, GenerationResult result) {
    return concat(request.prompt(), result.tokens());
  }

  public static int[] concat(int[] first, int[] second) {
    int[] both = Arrays.copyOf(first, first.length + second.length);
    System.arraycopy(second, 0, both, first.length, second.length);
    return both;
  }

  /** A greedy request that says how much of its prompt is shared. */
  static GenerationRequest request(int[] prompt, int newTokens, int sharedPrefixTokens) {
    return new GenerationRequest(
        new KvRequest(prompt, sharedPrefixTokens, "", ""), newTokens, Sampling.GREEDY);
  }

  /** Runs {@code tasks} each on a thread of its own and rethrows the first failure. */
  public static void inParallel(Collection<Runnable> tasks) {
    List<CompletableFuture<Void>> running =
        tasks.stream()
            .map(task -> CompletableFuture.runAsync(task, command -> new Thread(command).start()))
            .toList();
    running.forEach(CompletableFuture::join);
  }
}
