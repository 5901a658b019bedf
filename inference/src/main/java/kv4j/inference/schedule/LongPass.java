package kv4j.inference.schedule;

import java.util.List;
import java.util.Optional;
import java.util.function.LongSupplier;
import kv4j.inference.InferenceEngine;
import kv4j.inference.SlicedPass;

/**
 * The pass that is left between layers for short ones, if there is one. It goes on for as long as
 * the last short one took, so that it gets at least half of the time. Times decide only when
 * something is computed, never what.
 */
final class LongPass {
  private final InferenceEngine engine;
  private final LongSupplier clock;
  private List<Share> shares = List.of();
  private SlicedPass pass; // null before its first layer
  private long owed; // of the clock's time, until a short pass may run

  LongPass(InferenceEngine engine, LongSupplier clock) {
    this.engine = engine;
    this.clock = clock;
  }

  /** Makes these the long pass; none of it runs yet. */
  void set(List<Share> next) {
    shares = next;
  }

  /** What it computes; nothing if there is none. */
  List<Share> shares() {
    return shares;
  }

  boolean holds(Job job) {
    return shares.stream().anyMatch(share -> share.job() == job);
  }

  /** Whether it is its turn. */
  boolean isDue() {
    return owed > 0;
  }

  /**
   * Computes a layer.
   *
   * @return logits at its end, which it comes to as well if this throws
   */
  Optional<float[][]> advance() {
    long begin = clock.getAsLong();
    boolean goesOn = false;
    try {
      pass = pass == null ? engine.begin(Share.pass(shares)) : pass;
      Optional<float[][]> logits = pass.advance();
      goesOn = logits.isEmpty();
      return logits;
    } finally {
      owed -= clock.getAsLong() - begin;
      if (!goesOn) {
        giveUp();
      }
    }
  }

  /** Runs a short pass, and returns its logits. */
  Optional<float[][]> leaveFor(List<Share> shortPass) {
    long begin = clock.getAsLong();
    try {
      return Optional.of(engine.forward(Share.pass(shortPass)));
    } finally {
      owed = clock.getAsLong() - begin;
    }
  }

  /** Ends it, wherever it is. */
  void giveUp() {
    if (pass != null) {
      pass.close();
    }
    pass = null;
    shares = List.of();
  }
}
