package kv4j.apps.text;

import java.util.List;
import java.util.Optional;
import java.util.function.DoublePredicate;
import java.util.function.Function;
import kv4j.apps.cli.ValueOption;
import kv4j.apps.cli.Values;
import kv4j.inference.Sampling;
import org.apache.commons.cli.CommandLine;
import org.apache.commons.cli.Options;

/** The options that say how text is generated. */
public final class GenerationOptions {
  private static final ValueOption<Integer> NEW_TOKENS =
      ValueOption.optional(
          "new-tokens",
          "N",
          "most tokens to generate (default: 128, or what the context has room for)",
          Values::positiveInt);
  private static final ValueOption<Double> TEMPERATURE =
      ValueOption.of(
          "temperature",
          "T",
          "0 takes the likeliest token, always; the higher, the more random",
          "0",
          decimal("0 or more", value -> value >= 0));
  private static final ValueOption<Integer> TOP_K =
      ValueOption.optional(
          "top-k", "N", "only so many of the likeliest tokens", Values::positiveInt);
  private static final ValueOption<Double> TOP_P =
      ValueOption.of(
          "top-p",
          "P",
          "only the likeliest tokens that together have this probability",
          "1",
          decimal("above 0 and at most 1", value -> value > 0 && value <= 1));
  private static final ValueOption<Double> MIN_P =
      ValueOption.of(
          "min-p",
          "P",
          "only tokens this times as probable as the likeliest",
          "0",
          decimal("from 0 to 1", value -> value >= 0 && value <= 1));
  private static final ValueOption<Double> REPEAT_PENALTY =
      ValueOption.of(
          "repeat-penalty",
          "X",
          "weakens what the last %d tokens had; 1: not".formatted(Sampling.REPEAT_WINDOW),
          "1",
          decimal("above 0", value -> value > 0));
  private static final ValueOption<Long> SEED =
      ValueOption.of("seed", "N", "seed of what is random", 0, Values::wholeNumber);
  private static final ValueOption<String> STOP =
      ValueOption.repeatable(
          "stop", "TEXT", "end before this text; may be given again", Values::text);

  /** What is generated at most if nothing is said. */
  private static final int USUAL_NEW_TOKENS = 128;

  private final Optional<Integer> newTokens;
  private final Sampling sampling;
  private final List<String> stops;

  /**
   * Reads the options.
   *
   * @throws IllegalArgumentException with one sentence if one is wrong
   */
  public GenerationOptions(CommandLine line) {
    newTokens = NEW_TOKENS.find(line);
    sampling =
        new Sampling(
            TEMPERATURE.in(line),
            TOP_K.find(line).orElse(0),
            TOP_P.in(line),
            MIN_P.in(line),
            REPEAT_PENALTY.in(line),
            Sampling.REPEAT_WINDOW,
            SEED.in(line));
    stops = STOP.all(line);
    checkRandom(line);
  }

  private static void checkRandom(CommandLine line) {
    for (ValueOption<?> option : List.of(TOP_K, TOP_P, MIN_P, SEED)) {
      if (line.hasOption(option.name()) && !line.hasOption(TEMPERATURE.name())) {
        throw new IllegalArgumentException(
            "--%s needs --temperature, without which nothing is random".formatted(option.name()));
      }
    }
  }

  /** Adds all of them. */
  public static void addTo(Options options) {
    for (ValueOption<?> option :
        List.of(NEW_TOKENS, TEMPERATURE, TOP_K, TOP_P, MIN_P, REPEAT_PENALTY, SEED, STOP)) {
      options.addOption(option.option());
    }
  }

  /** How to pick tokens. */
  public Sampling sampling() {
    return sampling;
  }

  /** Texts before which a generation ends. */
  public List<String> stops() {
    return stops;
  }

  /**
   * Most tokens to generate after a prompt.
   *
   * @throws IllegalArgumentException with one sentence if the context has no room for them
   */
  public int newTokens(int promptTokens, int context) {
    if (promptTokens + newTokens.orElse(1) > context) {
      throw new IllegalArgumentException(
          "a prompt of %d tokens and %d new do not fit the model's context of %d tokens"
              .formatted(promptTokens, newTokens.orElse(1), context));
    }
    return newTokens.orElse(Math.min(USUAL_NEW_TOKENS, context - promptTokens));
  }

  /** How many tokens of a context are kept for an answer. */
  public int room(int context) {
    return newTokens.orElse(Math.min(USUAL_NEW_TOKENS, Math.max(1, context / 4)));
  }

  private static Function<String, Double> decimal(String range, DoublePredicate within) {
    return text -> {
      double value;
      try {
        value = Double.parseDouble(text);
      } catch (NumberFormatException e) {
        throw new IllegalArgumentException("must be a number, not \"" + text + "\"", e);
      }
      if (!Double.isFinite(value) || !within.test(value)) {
        throw new IllegalArgumentException("must be " + range + ", not " + text);
      }
      return value;
    };
  }
}
