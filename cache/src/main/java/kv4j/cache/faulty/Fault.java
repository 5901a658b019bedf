package kv4j.cache.faulty;

import java.util.Locale;
import java.util.OptionalInt;
import java.util.SplittableRandom;
import kv4j.cache.block.KvLayout;

/**
 * What is wrong with cached keys or values. Each vector concerned, one KV head's key or value of
 * one token, is moved by {@code amount} times its own length, in a direction that depends on the
 * seed and on the vector's place alone.
 *
 * @param part which of the two
 * @param layer the attention layer, from 0; empty: all
 * @param head the KV head, from 0; empty: all
 * @param token position in the sequence, from 0; empty: all
 * @param amount above 0
 * @param seed of the directions
 */
public record Fault(
    Part part, OptionalInt layer, OptionalInt head, OptionalInt token, double amount, long seed) {
  /** Keys or values. */
  public enum Part {
    KEYS,
    VALUES
  }

  /** All cached values, moved by half their length. */
  public static final Fault USUAL =
      new Fault(
          Part.VALUES, OptionalInt.empty(), OptionalInt.empty(), OptionalInt.empty(), 0.5, 42);

  private static final long PRIME = 1_000_003;

  public Fault {
    if (!(amount > 0 && amount < Double.POSITIVE_INFINITY)) {
      throw new IllegalArgumentException("a fault's amount must be above 0, not " + amount);
    }
  }

  /** The same in the keys or in the values. */
  public Fault withPart(Part other) {
    return new Fault(other, layer, head, token, amount, seed);
  }

  /** The same in one layer. */
  public Fault withLayer(int other) {
    return new Fault(part, OptionalInt.of(other), head, token, amount, seed);
  }

  /** The same in one KV head. */
  public Fault withHead(int other) {
    return new Fault(part, layer, OptionalInt.of(other), token, amount, seed);
  }

  /** The same in one token. */
  public Fault withToken(int other) {
    return new Fault(part, layer, head, OptionalInt.of(other), amount, seed);
  }

  /** The same by another amount. */
  public Fault withAmount(double other) {
    return new Fault(part, layer, head, token, other, seed);
  }

  /** The same in other directions. */
  public Fault withSeed(long other) {
    return new Fault(part, layer, head, token, amount, other);
  }

  /**
   * Checks that there is such a layer and such a head.
   *
   * @throws IllegalArgumentException if there is not
   */
  void check(KvLayout layout) {
    check("layer", layer, layout.layers());
    check("head", head, layout.kvHeads());
    check("token", token, Integer.MAX_VALUE);
  }

  private static void check(String what, OptionalInt number, int count) {
    if (number.isPresent() && (number.getAsInt() < 0 || number.getAsInt() >= count)) {
      throw new IllegalArgumentException(
          "a fault's %s must be from 0 to %d, not %d"
              .formatted(what, count - 1, number.getAsInt()));
    }
  }

  /** Whether it concerns one of so many leading tokens. */
  boolean concerns(int tokens) {
    return token.orElse(0) < tokens;
  }

  /** Whether it concerns a token in a layer. */
  boolean concerns(int ofLayer, int position) {
    return layer.orElse(ofLayer) == ofLayer && token.orElse(position) == position;
  }

  /**
   * Moves what it concerns of one token's keys or values in one layer.
   *
   * @param row {@code [kvHeads, headDim]}
   */
  void disturb(float[] row, int ofLayer, int position, KvLayout layout) {
    int from = head.orElse(0);
    int to = head.isPresent() ? from + 1 : layout.kvHeads();
    for (int each = from; each < to; each++) {
      long place = ((seed * PRIME + ofLayer) * PRIME + each) * PRIME + position;
      move(row, each * layout.headDim(), layout.headDim(), new SplittableRandom(place));
    }
  }

  private void move(float[] row, int at, int headDim, SplittableRandom random) {
    double[] direction = random.doubles(headDim, -1, 1).toArray();
    double squares = 0;
    double directionSquares = 0;
    for (int i = 0; i < headDim; i++) {
      squares += (double) row[at + i] * row[at + i];
      directionSquares += direction[i] * direction[i];
    }
    double scale = amount * Math.sqrt(squares / directionSquares);
    for (int i = 0; i < headDim; i++) {
      row[at + i] += (float) (scale * direction[i]);
    }
  }

  /** For people, such as {@code values of layer 3, all heads, all tokens, moved by 0.5}. */
  @Override
  public String toString() {
    return "%s of %s, %s, %s, moved by %s of their length"
        .formatted(
            part.name().toLowerCase(Locale.ROOT),
            which("layer", layer),
            which("head", head),
            which("token", token),
            amount);
  }

  private static String which(String what, OptionalInt number) {
    return number.isPresent() ? what + " " + number.getAsInt() : "all " + what + "s";
  }
}
