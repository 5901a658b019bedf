package kv4j.model.tokenizer.export;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.List;

/**
 * Recognizes how a {@code tokenizer.json} cuts a text into words, among the ways for which GGUF has
 * a name.
 */
final class WordPatterns {
  private static final String GPT2 =
      "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+";
  private static final String BEFORE_NUMBERS =
      "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|";
  private static final String AFTER_NUMBERS =
      "| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";
  private static final String LLAMA3 = BEFORE_NUMBERS + "\\p{N}{1,3}" + AFTER_NUMBERS;
  private static final String QWEN2 = BEFORE_NUMBERS + "\\p{N}" + AFTER_NUMBERS;

  private WordPatterns() {}

  /**
   * The name in {@code tokenizer.ggml.pre}.
   *
   * @throws IllegalArgumentException if there is none
   */
  static String name(JsonNode json) {
    requireNothingButComposing(json.path("normalizer"));
    List<String> steps = new ArrayList<>();
    addSteps(json.path("pre_tokenizer"), steps);
    String name =
        switch (String.join(" then ", steps)) {
          case "GPT-2", "split " + GPT2 + " then bytes" -> "gpt-2";
          case "split " + LLAMA3 + " then bytes" -> "llama-bpe";
          case "split " + QWEN2 + " then bytes" -> "qwen2";
          case "digits then GPT-2" -> "smollm";
          default ->
              throw new IllegalArgumentException(
                  "it cuts words in a way that is none of GPT-2's, Llama 3's, Qwen 2's, SmolLM's");
        };
    boolean wholeWords = json.path("model").path("ignore_merges").asBoolean();
    if (wholeWords != name.equals("llama-bpe")) {
      throw new IllegalArgumentException(
          "its words are cut as those of " + name + ", but ignore_merges is " + wholeWords);
    }
    return name;
  }

  private static void requireNothingButComposing(JsonNode normalizer) {
    String type = normalizer.path("type").asText();
    if (type.equals("Sequence")) {
      normalizer.path("normalizers").forEach(WordPatterns::requireNothingButComposing);
    } else if (normalizer.isObject() && !type.equals("NFC")) {
      throw new IllegalArgumentException("it changes texts by a normalizer '" + type + "'");
    }
  }

  private static void addSteps(JsonNode step, List<String> steps) {
    switch (step.path("type").asText()) {
      case "Sequence" -> step.path("pretokenizers").forEach(part -> addSteps(part, steps));
      case "ByteLevel" -> {
        if (step.path("add_prefix_space").asBoolean(true)) {
          throw new IllegalArgumentException("it puts a space before texts");
        }
        steps.add(step.path("use_regex").asBoolean(true) ? "GPT-2" : "bytes");
      }
      case "Digits" -> steps.add(step.path("individual_digits").asBoolean() ? "digits" : "numbers");
      case "Split" -> {
        boolean isolated =
            step.path("behavior").asText().equals("Isolated") && !step.path("invert").asBoolean();
        steps.add((isolated ? "split " : "other ") + step.path("pattern").path("Regex").asText());
      }
      default -> steps.add("other " + step.path("type").asText());
    }
  }
}
