package kv4j.apps.bench;

import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;
import kv4j.inference.EngineOptions;

/**
 * What to measure.
 *
 * @param engine how the engine runs
 * @param longContext length of the context near whose end everything is measured again; empty: not
 * @param repeat rounds to measure, at least 1
 * @param comparisons what to compare the engine to
 */
public record BenchOptions(
    EngineOptions engine, OptionalInt longContext, int repeat, List<Comparison> comparisons) {
  /** Least length of a long context. */
  public static final int MIN_LONG_CONTEXT = 1024;

  /** Tokens that are left of it. */
  private static final int ROOM = 32;

  private static final int STOCK_PART = 4;
  private static final int LONG_PART = 8;

  public BenchOptions {
    comparisons = List.copyOf(comparisons);
    if (repeat < 1) {
      throw new IllegalArgumentException("repeat must be at least 1, not " + repeat);
    }
  }

  /** Passes near the end of the long context; none if there is no such. */
  List<Pass> longPasses() {
    return longContext.isPresent() ? Pass.around(longContext.getAsInt() - ROOM) : List.of();
  }

  /** All passes. */
  List<Pass> passes() {
    List<Pass> all = new ArrayList<>(BenchReport.SHORT);
    all.addAll(longPasses());
    return all;
  }

  /** Rounds for SameDiff's own session, which is slow. */
  int stockRounds() {
    return part(STOCK_PART);
  }

  /** Rounds for the long context. */
  int longRounds() {
    return longContext.isPresent() ? part(LONG_PART) : 0;
  }

  private int part(int part) {
    return (repeat + part - 1) / part;
  }
}
