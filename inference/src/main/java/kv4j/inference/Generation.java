package kv4j.inference;

import java.util.Arrays;
import java.util.OptionalInt;
import kv4j.cache.KvCache;
import kv4j.cache.KvSequence;
import kv4j.cache.Lookup;
import kv4j.inference.pass.ForwardPass.Logits;
import kv4j.inference.pass.ForwardPass.Segment;

/**
 * One request's life, without threads: it says what it wants computed next, takes the logits, and
 * knows whether it has ended. Whoever drives it decides when that happens and what else is in the
 * same pass; to cancel it is to stop asking and close it. Not thread-safe.
 *
 * <p>The sequence owns its length: a generation never keeps count of what is in place.
 */
public final class Generation implements AutoCloseable {
  private final KvSequence sequence;
  private final Sampler sampler;
  private final boolean keepLogits;
  private final int prompt; // its tokens
  private final int[] tokens; // of prompt and answer, filled up to `known`
  private final float[][] logits;
  private final long start = System.nanoTime();
  private int known;
  private int begin; // where the pass to come begins, for the token that is sought
  private long ttft;
  private boolean ended;

  /**
   * Opens a sequence for a request.
   *
   * @param engine that will run its segments
   * @param keepLogits whether the result has the logits that each token was picked from
   * @throws IllegalArgumentException if prompt and new tokens do not fit the model's context
   */
  public Generation(
      InferenceEngine engine, KvCache cache, GenerationRequest request, boolean keepLogits) {
    prompt = request.prompt().length;
    int context = engine.model().config().context();
    if (request.newTokens() > context - prompt) {
      throw new IllegalArgumentException(
          "a prompt of %d tokens and %d new ones do not fit the model's context of %d tokens"
              .formatted(prompt, request.newTokens(), context));
    }
    this.keepLogits = keepLogits;
    tokens = Arrays.copyOf(request.prompt(), prompt + request.newTokens());
    known = prompt;
    logits = new float[keepLogits ? request.newTokens() : 0][];
    sampler = new Sampler(request.sampling(), prompt);
    sequence = cache.open(request.lookup().withModel(engine.model().fingerprint()));
    begin = sequence.begin();
  }

  /** What the cache found for the prompt. */
  public Lookup lookup() {
    return sequence.lookup();
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

  /** Leaves what was computed to the cache, and says what came of it. */
  public GenerationResult finish() {
    sequence.commit(Arrays.copyOf(tokens, known));
    long latency = System.nanoTime() - start;
    int[] generated = Arrays.copyOfRange(tokens, prompt, known);
    float[][] kept = Arrays.copyOf(logits, Math.min(logits.length, generated.length));
    return new GenerationResult(generated, lookup(), ttft, latency, kept);
  }

  /** Gives back what its sequence holds. May be called more than once. */
  @Override
  public void close() {
    sequence.close();
  }
}
