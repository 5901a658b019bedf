package kv4j.apps.facts;

import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Random choices, and texts with random words. */
final class Draw {
  private static final Map<String, List<String>> WORDS = TextResource.lists("words.txt", ",");
  private static final Map<String, List<String>> PHRASES = TextResource.lists("phrases.txt", "\\|");
  private static final Pattern SLOT = Pattern.compile("\\{([a-z ]+)}");

  private final SplittableRandom random;

  Draw(long seed) {
    // Mixed first, as the numbers of two seeds may be the same ones, only later.
    random = new SplittableRandom(new SplittableRandom(seed).nextLong());
  }

  /** A number from {@code least} to {@code most}. */
  int number(int least, int most) {
    return random.nextInt(least, most + 1);
  }

  boolean chance(double probability) {
    return random.nextDouble() < probability;
  }

  <T> T from(List<T> list) {
    return list.get(random.nextInt(list.size()));
  }

  /** The list in a random order. */
  <T> void shuffle(List<T> list) {
    for (int i = list.size() - 1; i > 0; i--) {
      list.set(i, list.set(random.nextInt(i + 1), list.get(i)));
    }
  }

  static boolean hasWords(String list) {
    return WORDS.containsKey(list);
  }

  /** A word of a list. */
  String word(String list) {
    return from(WORDS.get(list));
  }

  /** A phrase for a purpose, with words of the lists that it names. */
  String phrase(String purpose) {
    return filled(from(PHRASES.get(purpose)));
  }

  /** A text in which words of the lists stand that it names; other names in braces stay. */
  String filled(String template) {
    Matcher slots = SLOT.matcher(template);
    return slots.replaceAll(
        slot ->
            Matcher.quoteReplacement(hasWords(slot.group(1)) ? word(slot.group(1)) : slot.group()));
  }

  static String capitalized(String sentence) {
    return Character.toUpperCase(sentence.charAt(0)) + sentence.substring(1);
  }
}
