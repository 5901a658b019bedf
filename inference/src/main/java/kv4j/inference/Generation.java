package kv4j.inference;

import java.util.Arrays;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.concurrent.CompletableFuture;
import kv4j.cache.KvCache;
import kv4j.cache.KvRequest;
import kv4j.cache.KvSequence;
import kv4j.cache.Lookup;
import kv4j.inference.pass.ForwardPass.Logits;
import kv4j.inference.pass.ForwardPass.Segment;

/**
 * One request's life, without threads: it says what it wants computed next, takes the logits, and
 * knows whether it has ended. Whoever drives it decides when that happens and what else is in the
 * same pass; to cancel it is to stop asking and close it. It may also be put off in the middle:
 * {@link #pause} gives its blocks back, {@link #open} goes on, with the tokens and random numbers
 * that it would have had. Not thread-safe.
 *
 * <p>The sequence owns its length: a generation never keeps count of what is in place.
 */
public final class Generation implements AutoCloseable {
  private final KvCache cache;
  private KvRequest request;
  private final Sampler sampler;
  private final boolean keepLogits;
  private final int prompt; // its tokens
  private final int[] tokens; // of prompt and answer, filled up to `known`
  private final float[][] logits;
  private KvSequence sequence; // null while it has none
  private Lookup lookup; // the first; null before it
  private long start;
  private int known;
  private int begin; // where the pass to come begins, for the token that is sought
  private long ttft;
  private boolean ended;

  private Generation(
      KvCache cache, InferenceEngine engine, GenerationRequest request, boolean keepLogits) {
    engine.check(request);
    this.cache = cache;
    this.request = request.lookup().withModel(engine.model().fingerprint());
    this.keepLogits = keepLogits;
    prompt = request.prompt().length;
    tokens = Arrays.copyOf(request.prompt(), prompt + request.newTokens());
    known = prompt;
    logits = new float[keepLogits ? request.newTokens() : 0][];
    sampler = new Sampler(request.sampling(), prompt);
  }

  /**
   * Opens a sequence for a request.
   *
   * @param engine that will run its segments
   * @param keepLogits whether the result has the logits that each token was picked from
   * @throws IllegalArgumentException as {@link InferenceEngine#check}
   */
  public Generation(
      InferenceEngine engine, KvCache cache, GenerationRequest request, boolean keepLogits) {
    this(cache, engine, request, keepLogits);
    start = System.nanoTime();
    startOn(cache.open(this.request));
  }

  /**
   * One that holds nothing yet and does not count as a lookup: it begins when it is {@link #open
   * opened}.
   *
   * @throws IllegalArgumentException as {@link InferenceEngine#check}
   */
  public static Generation waiting(
      InferenceEngine engine, KvCache cache, GenerationRequest request, boolean keepLogits) {
    return new Generation(cache, engine, request, keepLogits);
  }

  /**
   * Begins to bring into memory what a store behind the cache has of the prompt.
   *
   * @return completes when it is time to {@link #open}; never exceptionally
   */
  public CompletableFuture<Void> prefetch() {
    return cache.prefetch(request).thenAccept(brought -> request = request.withPrefetched(brought));
  }

  /**
   * Begins, or goes on after it was paused or closed, if the cache has room for all tokens that are
   * known. What was computed before and is not in the cache any more is computed again; only the
   * first time counts as a lookup.
   *
   * @return whether there was room; if not, nothing has changed
   */
  public boolean open() {
    boolean again = lookup != null;
    start = again ? start : System.nanoTime();
    Optional<KvSequence> opened =
        cache.tryOpen(request.withPrompt(Arrays.copyOf(tokens, known)), again);
    opened.ifPresent(this::startOn);
    return opened.isPresent();
  }

  private void startOn(KvSequence opened) {
    sequence = opened;
    Lookup found = opened.lookup();
    if (lookup == null) {
      lookup = found;
    } else if (!found.fault().isEmpty()) { // it goes on with what is wrong
      lookup = lookup.withFault(found.fault());
    }
    begin = sequence.begin();
  }

  /** Leaves what was computed to the cache and gives back what its sequence holds, for a while. */
  public void pause() {
    try {
      sequence.commit(Arrays.copyOf(tokens, known));
    } finally {
      close();
    }
  }

  /** What the cache found for the prompt, at first; nothing before that. */
  public Lookup lookup() {
    return lookup != null
        ? lookup
        : new Lookup(prompt, 0, Lookup.Reason.NOT_KEPT, "the cache was not asked");
  }

  /** Leading tokens that need not be computed for the token that is sought. */
  public int inPlace() {
    return begin;
  }

  /** Tokens to compute until the next one is known. */
  public int remaining() {
    return known - begin;
  }

  /** How many leading tokens of another prompt are known to be this one's too. */
  public int inCommon(int[] other) {
    int most = Math.min(known, other.length);
    int differs = Arrays.mismatch(tokens, 0, most, other, 0, most);
    return differs < 0 ? most : differs;
  }

  /** Asks for room for the next tokens: see {@link KvSequence#reserve}. */
  public boolean reserve(int rows) {
    return sequence.reserve(rows);
  }

  /** Whether it has all its tokens, or was told to stop. */
  public boolean hasEnded() {
    return ended;
  }

  /**
   * What is to be computed next: a chunk of the prompt, or what one more token takes.
   *
   * @param most tokens of it, at least 1
   * @throws IllegalStateException if it has ended
   */
  public Segment next(int most) {
    if (ended) {
      throw new IllegalStateException("the generation has ended");
    }
    int end = (int) Math.min((long) begin + most, known);
    return new Segment(sequence, tokens, begin, end, end < known ? Logits.NONE : Logits.LAST);
  }

  /**
   * Goes on after the segment asked for last was computed.
   *
   * @param row logits of its last token, {@code [vocabulary]}; not read if none were asked for
   * @return the token that they gave; empty after a chunk
   */
  public OptionalInt take(float[] row) {
    if (sequence.length() < known) {
      begin = sequence.length();
      return OptionalInt.empty();
    }
    int token = sampler.pick(row, tokens, known);
    if (known == prompt) {
      ttft = System.nanoTime() - start;
    }
    if (keepLogits) {
      logits[known - prompt] = row;
    }
    tokens[known++] = token;
    ended = known == tokens.length;
    if (!ended) {
      begin = sequence.begin();
    }
    return OptionalInt.of(token);
  }

  /**
   * Lets other requests share what has been computed so far, while this one goes on.
   *
   * @return leading tokens that the cache holds for it from now on
   */
  public int share() {
    return sequence.commitPrefix(Arrays.copyOf(tokens, known));
  }

  /** Makes the last token the last: there will be no more. */
  public void stop() {
    ended = true;
  }

  /** Leaves what was computed to the cache, and says what came of it so far. */
  public GenerationResult finish() {
    if (sequence != null) {
      sequence.commit(Arrays.copyOf(tokens, known));
    }
    long latency = lookup == null ? 0 : System.nanoTime() - start;
    int[] generated = Arrays.copyOfRange(tokens, prompt, known);
    float[][] kept = Arrays.copyOf(logits, Math.min(logits.length, generated.length));
    return new GenerationResult(generated, lookup(), ttft, latency, kept);
  }

  /** Gives back what its sequence holds. May be called more than once. */
  @Override
  public void close() {
    if (sequence != null) {
      sequence.close();
      sequence = null;
    }
  }
}
