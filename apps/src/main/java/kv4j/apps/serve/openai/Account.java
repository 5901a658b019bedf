package kv4j.apps.serve.openai;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.function.ToLongFunction;
import java.util.stream.Stream;
import kv4j.cache.Lookup;
import kv4j.inference.schedule.ScheduledResult;
import kv4j.model.Tokenizer;

/**
 * What a request took, as answers say it: OpenAI's {@code usage}, llama.cpp's {@code timings}, and
 * what the cache had, in {@code kv4j}.
 *
 * @param prompts one for each prompt
 * @param prefillMsPerToken what a computed prompt token has cost this server so far; empty if it
 *     has not yet computed enough to tell
 */
public record Account(List<Prompt> prompts, OptionalDouble prefillMsPerToken) {
  /** Tokens shown of each side where a prompt and what is stored diverge. */
  private static final int SHOWN = 8;

  private static final double NANOS_PER_MS = 1e6;

  /**
   * What became of a prompt.
   *
   * @param tokens its ids
   * @param answers to it, at least one; what the cache had is told of the first
   */
  public record Prompt(int[] tokens, List<ScheduledResult> answers) {
    private Optional<Lookup> lookup() {
      return Optional.ofNullable(answers.get(0).generation().lookup());
    }

    private int ofStore() {
      return lookup().map(Lookup::storeTokens).orElse(0);
    }

    private int cached() {
      return lookup().map(Lookup::cachedTokens).orElse(0);
    }

    /** What spoiled any of the answers on purpose. */
    private Optional<String> fault() {
      return answers.stream()
          .flatMap(answer -> Stream.ofNullable(answer.generation().lookup()))
          .map(Lookup::fault)
          .filter(fault -> !fault.isEmpty())
          .findFirst();
    }
  }

  /** Adds all three to an answer. */
  public void addTo(ObjectNode answer, Tokenizer tokenizer) {
    usage(answer.putObject("usage"));
    timings(answer.putObject("timings"));
    ObjectNode own = answer.putObject("kv4j");
    kv4j(own, prompts.get(0), tokenizer);
    if (prompts.size() > 1) {
      var all = own.putArray("prompts");
      prompts.forEach(prompt -> kv4j(all.addObject(), prompt, tokenizer));
    }
  }

  private int promptTokens() {
    return prompts.stream().mapToInt(prompt -> prompt.tokens.length).sum();
  }

  private int cachedTokens() {
    return prompts.stream().mapToInt(Prompt::cached).sum();
  }

  private Stream<ScheduledResult> all() {
    return prompts.stream().flatMap(prompt -> prompt.answers.stream());
  }

  private int generated() {
    return all().mapToInt(answer -> answer.generation().tokens().length).sum();
  }

  private void usage(ObjectNode usage) {
    int generated = generated();
    usage.put("prompt_tokens", promptTokens()).put("completion_tokens", generated);
    usage.put("total_tokens", promptTokens() + generated);
    usage.putObject("prompt_tokens_details").put("cached_tokens", cachedTokens());
    usage.putObject("completion_tokens_details").put("reasoning_tokens", 0);
  }

  /** With several answers, of the first one's prefill and of all answers' tokens together. */
  private void timings(ObjectNode timings) {
    int computed = promptTokens() - cachedTokens();
    double promptMs =
        prompts.stream().mapToLong(p -> p.answers.get(0).prefillNanos()).sum() / NANOS_PER_MS;
    timings.put("cache_n", cachedTokens()).put("prompt_n", computed);
    rates(timings, "prompt", computed, promptMs);
    timings.put("predicted_n", generated());
    rates(timings, "predicted", generated(), ms(ScheduledResult::decodeNanos));
  }

  private double ms(ToLongFunction<ScheduledResult> nanos) {
    return all().mapToLong(nanos).sum() / NANOS_PER_MS;
  }

  /** Nothing in no time has no rate. */
  private static void rates(ObjectNode timings, String what, int tokens, double ms) {
    timings.put(what + "_ms", ms);
    timings.put(what + "_per_token_ms", tokens == 0 ? null : (Double) (ms / tokens));
    timings.put(what + "_per_second", ms == 0 ? null : (Double) (1000 * tokens / ms));
  }

  private void kv4j(ObjectNode json, Prompt prompt, Tokenizer tokenizer) {
    ScheduledResult first = prompt.answers.get(0);
    json.put("prompt_tokens", prompt.tokens.length).put("cached_tokens", prompt.cached());
    if (prompt.ofStore() > 0) {
      json.put("store_tokens", prompt.ofStore());
    }
    prompt.lookup().ifPresent(lookup -> reason(json, prompt, lookup, tokenizer));
    prompt.fault().ifPresent(fault -> json.put("fault", fault));
    json.put("queue_ms", first.queuedNanos() / NANOS_PER_MS);
    json.put("prefill_ms", first.prefillNanos() / NANOS_PER_MS);
    json.put(
        "saved_ms",
        prefillMsPerToken.isEmpty()
            ? null
            : (Double) (prompt.cached() * prefillMsPerToken.getAsDouble()));
  }

  private static void reason(ObjectNode json, Prompt prompt, Lookup lookup, Tokenizer tokenizer) {
    json.put("reason", lookup.reason().name().toLowerCase(Locale.ROOT));
    if (lookup.reason() == Lookup.Reason.FULL) {
      return;
    }
    int at = lookup.cachedTokens();
    json.put("position", at);
    if (!lookup.stored().isEmpty()) {
      int[] here =
          Arrays.copyOfRange(prompt.tokens, at, Math.min(prompt.tokens.length, at + SHOWN));
      json.put("here", text(tokenizer, here));
      json.put(
          "stored",
          text(tokenizer, lookup.stored().stream().mapToInt(Integer::intValue).toArray()));
    }
  }

  /** The text of some ids; what is no UTF-8, such as half of a character, becomes U+FFFD. */
  public static String text(Tokenizer tokenizer, int... tokens) {
    int[] known = Arrays.stream(tokens).filter(token -> token < tokenizer.vocabulary()).toArray();
    return new String(tokenizer.decodeBytes(known), StandardCharsets.UTF_8);
  }
}
