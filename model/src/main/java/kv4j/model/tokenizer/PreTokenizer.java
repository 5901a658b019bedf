package kv4j.model.tokenizer;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.function.Consumer;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * How a byte-level vocabulary cuts a text into words before it merges bytes within them, by the
 * names GGUF files give in {@code tokenizer.ggml.pre}. Each pattern cuts what the patterns before
 * it left: what it matches and what lies between are words of their own.
 *
 * <p>The names are llama.cpp's ({@code llama-vocab.cpp}), the patterns those of the models' own
 * {@code tokenizer.json}. Where llama.cpp's engine for patterns has to make do with less (it takes
 * all letters beyond ASCII for both upper and lower case in {@link #TEKKEN} and {@link #GPT4O}, and
 * no space beyond ASCII for punctuation in {@link #DEEPSEEK_LLM}), the model's own pattern holds.
 *
 * <p>Letters and numbers are those that the running Java knows, Unicode 13's in Java 17 and 16's in
 * Java 25; characters younger than that are taken for signs. Whitespace is Unicode's.
 */
public enum PreTokenizer {
  /** GPT-2: words and numbers with the space before them. */
  GPT2(
      names(
          "gpt-2 gpt2 phi-2 jina-es jina-de jina-v2-es jina-v2-de gigachat a.x-4.0 mellum"
              + " modern-bert mpt olmo jais trillion granite-docling exaone4"),
      Patterns.GPT2),

  /** SmolLM, StarCoder, Command R: each digit alone, then as GPT-2. */
  SMOLLM(
      names("smollm starcoder refact command-r codeshell exaone minerva-7b mellum2"),
      "\\p{N}",
      Patterns.GPT2),

  /** Falcon: punctuation apart, then as GPT-2, then ASCII digits in threes from the left. */
  FALCON(names("falcon"), "[\\p{P}$+<=>^~|`]+", Patterns.GPT2, "[0-9][0-9][0-9]"),

  /** Files that name none: punctuation apart, then as GPT-2, then numbers in threes. */
  DEFAULT(names("default"), "[\\p{P}$+<=>^~|]+", Patterns.GPT2, "\\p{N}+", "[0-9][0-9][0-9]"),

  /** Llama 3: English suffixes in either case, and numbers of at most three digits. */
  LLAMA3(
      names(
          "llama-bpe llama3 llama-v3 falcon3 falcon-h1 pixtral midm-2.0 lfm2 jina-v5-nano",
          Trait.WHOLE_WORDS,
          Trait.BEGIN),
      Patterns.suffixes("\\p{N}{1,3}")),

  /** DBRX, GLM 4: words as Llama 3's, but only merges make a token of them. */
  DBRX(names("dbrx smaug-bpe glm4 chatglm-bpe"), Patterns.suffixes("\\p{N}{1,3}")),

  /**
   * Qwen 2, 2.5 and 3: as Llama 3, but each digit alone. Their own tokenizers compose texts first
   * (Unicode NFC); GGUF files cannot ask for it, and neither here nor in llama.cpp is it done.
   */
  QWEN2(
      names("qwen2 deepseek-r1-qwen kormo f2llmv2 megrez stablelm2 hunyuan solar-open grok-2"),
      Patterns.suffixes("\\p{N}")),

  /** Qwen 3.5: as Qwen 2, but marks belong to words. */
  QWEN35(
      names("qwen35"),
      Patterns.SUFFIX
          + "|[^\\r\\n\\p{L}\\p{N}]?[\\p{L}\\p{M}]+|\\p{N}| ?[^\\s\\p{L}\\p{M}\\p{N}]+[\\r\\n]*|"
          + Patterns.SPACES),

  /** Qwen 2's words, without English suffixes. */
  UFAKZEKA(names("ufakzeka"), Patterns.words("\\p{N}")),

  /** Lines first, then as Qwen 2. */
  LAGUNA(names("laguna"), "[^\\n]+|\\n+", Patterns.suffixes("\\p{N}")),

  /** Numbers of at most three digits first. */
  MINICPM5(names("minicpm5", Trait.WHOLE_WORDS), "\\p{N}{1,3}", Patterns.suffixes("\\p{N}+")),

  /** Signs without the line ends after them. */
  SEED_CODER(
      names("seed-coder"),
      Patterns.SUFFIX
          + "|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}| ?[^\\s\\p{L}\\p{N}\\r\\n]+|"
          + Patterns.SPACES),

  /** One line end at a time. */
  BAILING_MOE(
      names("bailingmoe bailingmoe2 llada-moe"),
      Patterns.SUFFIX
          + "|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*"
          + "|\\s*[\\r\\n]|\\s+(?!\\S)|\\s+"),

  /** Words joined by single spaces are one. */
  EXAONE_MOE(
      names("exaone-moe"),
      Patterns.SUFFIX
          + "|[^\\r\\n\\p{L}\\p{N}]?\\p{L}[\\p{L}\\p{M}]*+(?: \\p{L}[\\p{L}\\p{M}]*+)*+"
          + "|\\p{N}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n/]?|\\s*[\\r\\n]|\\s+(?!\\S)|\\s+"),

  /** Jais 2: as Llama 3, with runs of whitespace in powers of two. */
  JAIS2(
      names("jais-2"),
      Patterns.SUFFIX
          + "|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+"
          + "|\\s{512}(?!\\S)|\\s{256}(?!\\S)|\\s{128}(?!\\S)|\\s{64}(?!\\S)|\\s{32}(?!\\S)"
          + "|\\s{16}(?!\\S)|\\s{8}(?!\\S)|\\s{4}(?!\\S)|\\s{1,2}(?!\\S)|\\s"),

  /** Mistral's Tekken: a word begins where upper case follows lower case. */
  TEKKEN(names("tekken", Trait.WHOLE_WORDS, Trait.BEGIN), Patterns.cased("", "\\p{N}")),

  /** GPT-4o and Llama 4: as Tekken, with English suffixes, and numbers of at most three digits. */
  GPT4O(
      names("gpt-4o llama4 kanana2 talkie minimax-m2"),
      Patterns.cased(Patterns.SUFFIX, "\\p{N}{1,3}")),

  /** Digits in threes from the right, then as GPT-4o. */
  TINY_AYA(
      names("tiny_aya cohere2moe"),
      Step.threes("(?<!\\d)\\d++(?!\\w)"),
      Step.of(Patterns.cased(Patterns.SUFFIX, "\\p{N}{1,3}"))),

  /** Youtu: East Asian scripts and punctuation apart, then as GPT-4o with each digit alone. */
  YOUTU(
      names("youtu", Trait.WHOLE_WORDS),
      "[\uAC00-\uD7A3\u3131-\u318E]+"
          + "|[\uFF01\u2026\u201C\u201D\u2018\u2019\u2014\uFF1A\uFF1B\uFF0C\u3001-\u303F"
          + "\uFE30-\uFE4F]+|[\u3105-\u312F]+|[\u4E00-\u9FA5\u3040-\u309F\u30A0-\u30FF]+",
      Patterns.cased(Patterns.SUFFIX, "\\p{N}")),

  /** DeepSeek LLM: line ends, cased letters, punctuation, final space, Chinese, numbers. */
  DEEPSEEK_LLM(
      names("deepseek-llm"),
      "[\\r\\n]",
      "\\s?[" + Patterns.CASED_LETTERS + "]+",
      "\\s?[!-/:-~\uFF01-\uFF0F\uFF1A-\uFF5E\u2018-\u201F\u3000-\u3002]+",
      Patterns.FINAL_SPACES,
      Patterns.DEEPSEEK_CHINESE,
      "\\p{N}+"),

  /** DeepSeek Coder: the same with all letters and punctuation, and each digit alone. */
  DEEPSEEK_CODER(
      names("deepseek-coder"),
      "[\\r\\n]",
      "\\s?\\p{L}+",
      "\\s?\\p{P}+",
      Patterns.DEEPSEEK_CHINESE,
      "\\p{N}"),

  /** DeepSeek V3 and R1: numbers in threes, Chinese and Japanese, then words, signs, spaces. */
  DEEPSEEK3(
      names("deepseek-v3 hunyuan-dense joyai-llm hy_v4"),
      "\\p{N}{1,3}",
      "[\u4E00-\u9FA5\u3040-\u309F\u30A0-\u30FF]+",
      Patterns.MARKED_WORDS + "| ?[\\p{P}\\p{S}]+[\\r\\n]*|" + Patterns.SPACES),

  /** Spark: as DeepSeek V3, with each line end alone. */
  SPARK(
      names("spark2_5"),
      "\\p{N}{1,3}",
      "[\u4E00-\u9FA5\u3040-\u309F\u30A0-\u30FF]+",
      Patterns.MARKED_WORDS + "| ?[\\p{P}\\p{S}]+|[\\r\\n]|\\s+(?!\\S)|\\s+",
      "\\p{N}"),

  /** AFMoE: digits in threes from the right, East Asian scripts, then as DeepSeek V3. */
  AFMOE(
      names("afmoe"),
      Step.threes("\\p{N}+"),
      Step.of(
          "[\u4E00-\u9FFF\u3400-\u4DBF\u8C48-\uFAFF\u3040-\u309F\u30A0-\u30FF\uFF65-\uFF9F"
              + "\u2F00-\u2FDF\u0E40-\u0E7F\u0E80-\u0EFF\u1780-\u17FF\u1000-\u109F\uAA60-\uAA7F"
              + "\uA9E0-\uA9FF\uAC00-\uD7AF\u1100-\u11FF]+"),
      Step.of(Patterns.MARKED_WORDS + "| ?[\\p{P}\\p{S}]+[\\r\\n]*|" + Patterns.SPACES)),

  /** BLOOM: whatever lies between spaces, pauses and full stops. */
  BLOOM(names("bloom poro-chat gpt3-finnish"), Patterns.BLOOM),

  /** Viking: as BLOOM, with each digit alone. */
  VIKING(names("viking"), Patterns.BLOOM, "\\p{N}"),

  /** Chameleon: images, pairs of spaces, digits and punctuation apart, then as GPT-2. */
  CHAMELEON(
      names("chameleon", Trait.BEGIN),
      "<sentinel:[0-9]+>",
      "IMGIMG[A-I]{1,4}Z",
      "[\\t\\n]|    |  ",
      "\\p{N}",
      "[\\p{P}!-/:-@\\[-`{-~]",
      Patterns.GPT2);

  private final Names names;
  private final List<Step> steps;

  private enum Trait {
    /** A word that is a token is taken whole, even if no merges lead to it. */
    WHOLE_WORDS,

    /** A file that says nothing of it adds the begin token. */
    BEGIN
  }

  private record Names(List<String> names, Set<Trait> traits) {}

  /** One cut through a word. */
  private interface Step {
    void cut(String word, List<String> words);

    static Step of(String regex) {
      Pattern pattern = pattern(regex);
      return (word, words) -> PreTokenizer.cut(word, pattern, words::add, words);
    }

    /** What matches is cut into threes from the right. */
    static Step threes(String regex) {
      Pattern pattern = pattern(regex);
      return (word, words) -> PreTokenizer.cut(word, pattern, run -> addThrees(run, words), words);
    }

    private static void addThrees(String run, List<String> words) {
      int length = run.codePointCount(0, run.length());
      int from = 0;
      for (int left = length; left > 0; left = (left - 1) / 3 * 3) {
        int to = run.offsetByCodePoints(from, (left - 1) % 3 + 1);
        words.add(run.substring(from, to));
        from = to;
      }
    }

    private static Pattern pattern(String regex) {
      return Pattern.compile(regex, Pattern.UNICODE_CHARACTER_CLASS);
    }
  }

  /**
   * Parts of the patterns. Java's engine recurses in loops over groups, so these loop over single
   * characters only, or possessively: a text may be long.
   */
  private static final class Patterns {
    static final String SPACES = "\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";
    static final String GPT2 =
        "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+";
    static final String SUFFIX = "(?:'[sS]|'[tT]|'[rR][eE]|'[vV][eE]|'[mM]|'[lL][lL]|'[dD])";
    static final String MARKED_WORDS =
        "[!\"#$%&'()*+,\\-./:;<=>?@\\[\\\\\\]^_`{|}~][A-Za-z]+"
            + "|[^\\r\\n\\p{L}\\p{P}\\p{S}]?[\\p{L}\\p{M}]+";
    static final String BLOOM = " ?[^(\\s|.,!?\u2026\u3002\uFF0C\u3001\u0964\u06D4\u060C)]+";

    /** From U+0800 to Han and Hangul, which is what the model's own file has. */
    static final String DEEPSEEK_CHINESE = "[\u4E00-\u9FA5\u0800-\u4E00\uAC00-\uD7FF]+";

    /** Begun where the run begins, so that no other run is tried from each of its characters. */
    static final String FINAL_SPACES = "(?<!\\s)\\s++\\z";

    static final String CASED_LETTERS =
        "A-Za-z\u00B5\u00C0-\u00D6\u00D8-\u00F6\u00F8-\u01BA\u01BC-\u01BF\u01C4-\u0293"
            + "\u0295-\u02AF\u0370-\u0373\u0376\u0377\u037B-\u037D\u037F\u0386\u0388-\u038A\u038C"
            + "\u038E-\u03A1\u03A3-\u03F5\u03F7-\u0481\u048A-\u052F\u0531-\u0556\u10A0-\u10C5"
            + "\u13A0-\u13F5\u13F8-\u13FD\u1C90-\u1CBA\u1CBD-\u1CBF\u1D00-\u1D2B\u1D6B-\u1D77"
            + "\u1D79-\u1D9A\u1E00-\u1F15\u1F18-\u1F1D\u1F20-\u1F45\u1F48-\u1F4D\u1F50-\u1F57"
            + "\u1F59\u1F5B\u1F5D\u1F5F-\u1F7D\u1F80-\u1FB4\u1FB6-\u1FBC\u1FBE\u1FC2-\u1FC4"
            + "\u1FC6-\u1FCC\u1FD0-\u1FD3\u1FD6-\u1FDB\u1FE0-\u1FEC\u1FF2-\u1FF4\u1FF6-\u1FFC"
            + "\u2102\u2107\u210A-\u2113\u2115\u2119-\u211D\u2124\u2126\u2128\u212A-\u212D"
            + "\u212F-\u2134\u2139\u213C-\u213F\u2145-\u2149\u214E\u2183\u2184\u2C00-\u2C7B"
            + "\u2C7E-\u2CE4\u2CEB-\u2CEE\u2CF2\u2CF3\uA640-\uA66D\uA680-\uA69B\uA722-\uA76F"
            + "\uA771-\uA787\uA78B-\uA78E\uAB70-\uABBF\uFB00-\uFB06\uFB13-\uFB17\uFF21-\uFF3A"
            + "\uFF41-\uFF5A\\x{10400}-\\x{1044F}\\x{104B0}-\\x{104D3}\\x{104D8}-\\x{104FB}"
            + "\\x{10C80}-\\x{10CB2}\\x{10CC0}-\\x{10CF2}\\x{118A0}-\\x{118DF}"
            + "\\x{1E900}-\\x{1E943}";

    private Patterns() {}

    static String suffixes(String number) {
      return SUFFIX + "|" + words(number);
    }

    static String words(String number) {
      return "[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|"
          + number
          + "| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|"
          + SPACES;
    }

    static String cased(String suffix, String number) {
      String before = "[^\\r\\n\\p{L}\\p{N}]?";
      String upper = "[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]";
      String lower = "[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]";
      String after = suffix.isEmpty() ? "|" : suffix + "?|";
      return (before + upper + "*" + lower + "+" + after)
          + (before + upper + "+" + lower + "*" + after)
          + number
          + "| ?[^\\s\\p{L}\\p{N}]+[\\r\\n/]*|"
          + SPACES;
    }
  }

  PreTokenizer(Names names, String... patterns) {
    this(names, Arrays.stream(patterns).map(Step::of).toArray(Step[]::new));
  }

  PreTokenizer(Names names, Step... steps) {
    this.names = names;
    this.steps = List.of(steps);
  }

  private static Names names(String names, Trait... traits) {
    return new Names(List.of(names.split(" ")), Set.of(traits));
  }

  /**
   * The pre-tokenizer of a name.
   *
   * @throws IllegalArgumentException if the name is none of those supported
   */
  public static PreTokenizer of(String name) {
    for (PreTokenizer preTokenizer : values()) {
      if (preTokenizer.names.names.contains(name)) {
        return preTokenizer;
      }
    }
    throw new IllegalArgumentException(
        "unsupported pre-tokenizer '"
            + name
            + "'; supported are "
            + supported().sorted().collect(Collectors.joining(", ")));
  }

  /** The names of all. */
  static Stream<String> supported() {
    return Arrays.stream(values()).flatMap(preTokenizer -> preTokenizer.names.names.stream());
  }

  /** Whether a word that is a token is taken whole, even if no merges lead to it. */
  boolean takesWholeWords() {
    return names.traits.contains(Trait.WHOLE_WORDS);
  }

  /** Whether prompts start with the begin token where the file says nothing of it. */
  boolean addsBegin() {
    return names.traits.contains(Trait.BEGIN);
  }

  /** The words of a text; together they are the text. */
  List<String> words(String text) {
    List<String> words = List.of(text);
    for (Step step : steps) {
      List<String> finer = new ArrayList<>();
      for (String word : words) {
        step.cut(word, finer);
      }
      words = finer;
    }
    return words;
  }

  private static void cut(
      String text, Pattern pattern, Consumer<String> matched, List<String> words) {
    Matcher matcher = pattern.matcher(text);
    int from = 0;
    while (matcher.find()) {
      if (matcher.start() > from) {
        words.add(text.substring(from, matcher.start()));
      }
      matched.accept(matcher.group());
      from = matcher.end();
    }
    if (from < text.length()) {
      words.add(text.substring(from));
    }
  }
}
