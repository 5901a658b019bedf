package kv4j.model.tokenizer;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import kv4j.model.tokenizer.BytePairTokenizer.ByteAlphabet;

/**
 * Learns a byte-level vocabulary from texts (Sennrich et al. 2016): the pair of neighbours that is
 * most frequent within words becomes a token, again and again.
 */
public final class BytePairTraining {
  private final List<List<String>> words = new ArrayList<>();
  private final List<Integer> counts = new ArrayList<>();

  private BytePairTraining(Stream<String> texts, PreTokenizer preTokenizer) {
    Map<String, Integer> all =
        new TreeMap<>(); // sorted, so that the order of texts is of no matter
    texts.forEach(
        text -> preTokenizer.words(text).forEach(word -> all.merge(word, 1, Integer::sum)));
    all.forEach(
        (word, count) -> {
          List<String> symbols = new ArrayList<>();
          for (byte value : word.getBytes(StandardCharsets.UTF_8)) {
            symbols.add(String.valueOf(ByteAlphabet.character(Byte.toUnsignedInt(value))));
          }
          words.add(symbols);
          counts.add(count);
        });
  }

  /**
   * The merges of a vocabulary, each a pair of tokens with a space between, the most frequent
   * first.
   *
   * @param most merges to learn; fewer if all words are tokens before
   */
  public static List<String> merges(Stream<String> texts, PreTokenizer preTokenizer, int most) {
    return new BytePairTraining(texts, preTokenizer).merges(most);
  }

  /** All tokens of such a vocabulary that stand for text: single bytes first. */
  public static List<String> tokens(List<String> merges) {
    List<String> tokens = new ArrayList<>();
    for (int value = 0; value < 256; value++) {
      tokens.add(String.valueOf(ByteAlphabet.character(value)));
    }
    merges.forEach(merge -> tokens.add(merge.replace(" ", "")));
    return tokens;
  }

  private List<String> merges(int most) {
    List<String> merges = new ArrayList<>();
    while (merges.size() < most) {
      Map<String, Integer> pairs = new HashMap<>();
      for (int i = 0; i < words.size(); i++) {
        List<String> word = words.get(i);
        for (int at = 0; at + 1 < word.size(); at++) {
          pairs.merge(word.get(at) + " " + word.get(at + 1), counts.get(i), Integer::sum);
        }
      }
      if (pairs.isEmpty()) {
        break;
      }
      String best = null;
      for (Map.Entry<String, Integer> pair : pairs.entrySet()) {
        int lead = best == null ? 1 : pair.getValue() - pairs.get(best);
        if (lead > 0 || lead == 0 && pair.getKey().compareTo(best) < 0) {
          best = pair.getKey();
        }
      }
      merges.add(best);
      merge(best);
    }
    return merges;
  }

  private void merge(String pair) {
    String left = pair.substring(0, pair.indexOf(' '));
    String right = pair.substring(left.length() + 1);
    for (List<String> word : words) {
      for (int at = 0; at + 1 < word.size(); at++) {
        if (word.get(at).equals(left) && word.get(at + 1).equals(right)) {
          word.set(at, left + right);
          word.remove(at + 1);
        }
      }
    }
  }
}
