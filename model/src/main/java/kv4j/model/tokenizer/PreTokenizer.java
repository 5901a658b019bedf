package kv4j.model.tokenizer;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/**
 * How a byte-level vocabulary cuts a text into words before it merges bytes within them, by the
 * names GGUF files give in {@code tokenizer.ggml.pre}. Each pattern cuts what the patterns before
 * it left: what it matches and what lies between are words of their own.
 *
 * <p>Letters and numbers are those that the running Java knows, Unicode 13's in Java 17 and 16's in
 * Java 25; characters younger than that are taken for signs.
 */
public enum PreTokenizer {
  /** GPT-2: words and numbers with the space before them. */
  GPT2(false, Set.of("gpt-2", "gpt2"), Patterns.GPT2),

  /** Llama 3: English suffixes in either case, and numbers of at most three digits. */
  LLAMA3(true, Set.of("llama-bpe", "llama3", "llama-v3"), Patterns.LLAMA3),

  /**
   * Qwen 2, 2.5 and 3: as Llama 3, but each digit alone. Their own tokenizers compose texts first
   * (Unicode NFC); GGUF files cannot ask for it, and neither here nor in llama.cpp is it done.
   */
  QWEN2(false, Set.of("qwen2", "deepseek-r1-qwen"), Patterns.QWEN2),

  /** SmolLM and SmolLM2: each digit alone, then as GPT-2. */
  SMOLLM(false, Set.of("smollm"), "\\p{N}", Patterns.GPT2),

  /** Files that name none: punctuation apart, then as GPT-2, then numbers in threes. */
  DEFAULT(
      false, Set.of("default"), "[\\p{P}$+<=>^~|]+", Patterns.GPT2, "\\p{N}+", "[0-9][0-9][0-9]");

  private final boolean wholeWords;
  private final Set<String> names;
  private final List<Pattern> patterns;

  /** Whitespace is Unicode's, here as in the tokenizers these patterns come from. */
  private static final class Patterns {
    static final String GPT2 =
        "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+";
    static final String LLAMA3 = llama3("\\p{N}{1,3}");
    static final String QWEN2 = llama3("\\p{N}");

    private static String llama3(String number) {
      return "'[sS]|'[tT]|'[rR][eE]|'[vV][eE]|'[mM]|'[lL][lL]|'[dD]"
          + "|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|"
          + number
          + "| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";
    }
  }

  PreTokenizer(boolean wholeWords, Set<String> names, String... patterns) {
    this.wholeWords = wholeWords;
    this.names = names;
    this.patterns =
        Arrays.stream(patterns)
            .map(pattern -> Pattern.compile(pattern, Pattern.UNICODE_CHARACTER_CLASS))
            .toList();
  }

  /**
   * The pre-tokenizer of a name.
   *
   * @throws IllegalArgumentException if the name is none of those supported
   */
  public static PreTokenizer of(String name) {
    for (PreTokenizer preTokenizer : values()) {
      if (preTokenizer.names.contains(name)) {
        return preTokenizer;
      }
    }
    String supported =
        Arrays.stream(values())
            .flatMap(preTokenizer -> preTokenizer.names.stream())
            .sorted()
            .collect(Collectors.joining(", "));
    throw new IllegalArgumentException(
        "unsupported pre-tokenizer '" + name + "'; supported are " + supported);
  }

  /** Whether a word that is a token is taken whole, even if no merges lead to it. */
  boolean takesWholeWords() {
    return wholeWords;
  }

  /** The words of a text; together they are the text. */
  List<String> words(String text) {
    List<String> words = List.of(text);
    for (Pattern pattern : patterns) {
      List<String> finer = new ArrayList<>();
      for (String word : words) {
        cut(word, pattern, finer);
      }
      words = finer;
    }
    return words;
  }

  private static void cut(String text, Pattern pattern, List<String> words) {
    Matcher matcher = pattern.matcher(text);
    int from = 0;
    while (matcher.find()) {
      if (matcher.start() > from) {
        words.add(text.substring(from, matcher.start()));
      }
      words.add(matcher.group());
      from = matcher.end();
    }
    if (from < text.length()) {
      words.add(text.substring(from));
    }
  }
}
