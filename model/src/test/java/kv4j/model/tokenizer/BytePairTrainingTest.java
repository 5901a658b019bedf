package kv4j.model.tokenizer;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

class BytePairTrainingTest {
  /**
   * On paper, of five "low", two "lower", six "newest" and three "widest": e s and s t are there
   * nine times, l o and o w seven times. Of equals, the first in the alphabet counts.
   */
  @Test
  void mergesTheMostFrequentPairFirst() {
    String text = "low ".repeat(5) + "lower ".repeat(2) + "newest ".repeat(6) + "widest ".repeat(3);
    Stream<String> words = Stream.of(text.split("(?= )")); // a space belongs to the word after it
    assertEquals(
        List.of("e s", "es t", "l o", "lo w", "e w", "ew est", "n ewest"),
        BytePairTraining.merges(words, PreTokenizer.GPT2, 7));
  }

  @Test
  void endsWhenAllWordsAreTokens() {
    assertEquals(
        List.of("a b", "ab c"),
        BytePairTraining.merges(Stream.of("abc", "ab"), PreTokenizer.SMOLLM, 100));
  }

  @Test
  void digitsStayApart() {
    assertEquals(
        List.of("- -"),
        BytePairTraining.merges(Stream.of("12--12", "12--12"), PreTokenizer.SMOLLM, 100));
  }

  @Test
  void tokensAreBytesAndThenWhatMergesMake() {
    List<String> tokens = BytePairTraining.tokens(List.of("e s", "es t"));
    assertEquals(258, tokens.size());
    assertEquals("e", tokens.get('e'));
    assertEquals(List.of("es", "est"), tokens.subList(256, 258));
  }
}
