package kv4j.model.tokenizer;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class PreTokenizerTest {
  private static void assertCuts(String name, String expected, String text) {
    String cut = String.join("|", PreTokenizer.of(name).words(text));
    assertEquals(expected, cut, name + " on '" + text + "'");
  }

  @Test
  void numbers() {
    assertCuts("gpt-2", "a| 12345|b", "a 12345b");
    assertCuts("llama-bpe", "a| |123|45|b", "a 12345b");
    assertCuts("qwen2", "a| |1|2|b", "a 12b");
    assertCuts("smollm", "a| |1|2|b", "a 12b");
    assertCuts("default", "a| |123|45|b", "a 12345b");
    // Arabic digits, a fraction and a Roman numeral are numbers too.
    assertCuts(
        "llama-bpe",
        "\u0661\u0662\u0663|\u0664\u00BD\u2167|x",
        "\u0661\u0662\u0663\u0664\u00BD\u2167x");
    assertCuts("smollm", "\u00BD|\u2167|x", "\u00BD\u2167x");
  }

  @Test
  void englishSuffixes() {
    assertCuts("gpt-2", "I|'ve| it|'s|'", "I've it's'");
    assertCuts("gpt-2", "I|'|VE| it|'|S", "I'VE it'S");
    assertCuts("llama-bpe", "I|'VE| it|'S|'lL|x", "I'VE it'S'lLx");
    assertCuts("qwen2", "don|'t|'x| we|'Re|d", "don't'x we'Red");
    // A typographic apostrophe is a sign before a word.
    assertCuts("llama-bpe", "it|\u2019s", "it\u2019s");
    assertCuts("gpt-2", "it|\u2019|s", "it\u2019s");
  }

  @Test
  void whitespace() {
    // The last space of a run goes with the word after it.
    assertCuts("gpt-2", "a|  | b|  ", "a   b  ");
    assertCuts("llama-bpe", "a|  | b|  ", "a   b  ");
    // Other whitespace stays apart from the word in GPT-2; in Llama 3, line breaks end a run.
    assertCuts("gpt-2", "a|\r|\n|b| \n |\t|c", "a\r\nb \n \tc");
    assertCuts("llama-bpe", "a|\r\n|b| \n| |\tc", "a\r\nb \n \tc");
    assertCuts("llama-bpe", "a|.\n\n|b| \r\n\n|  | c", "a.\n\nb \r\n\n   c");
    // U+00A0, U+3000 and U+2028 are whitespace, U+200B is not.
    assertCuts("gpt-2", "a|\u00A0|b|\u3000|\u2028|c|\u200B|d", "a\u00A0b\u3000\u2028c\u200Bd");
    assertCuts("llama-bpe", "a|\u00A0b|\u3000|\u2028c|\u200Bd", "a\u00A0b\u3000\u2028c\u200Bd");
  }

  @Test
  void signsAndMarks() {
    assertCuts("gpt-2", "x|->|y|();| //| z", "x->y(); // z");
    assertCuts("llama-bpe", "x|->|y|();| //| z|(a|,b", "x->y(); // z(a,b");
    // A combining mark is no letter: it ends a word, or begins one with Llama 3.
    assertCuts("gpt-2", "e|\u0301|a", "e\u0301a");
    assertCuts("llama-bpe", "e|\u0301a", "e\u0301a");
    // A family of emoji, joined, is one run of signs; a mathematical letter is a letter.
    String family = "\uD83D\uDC68\u200D\uD83D\uDC69";
    assertCuts("qwen2", "a|" + family + "|\uD835\uDC00b", "a" + family + "\uD835\uDC00b");
    assertCuts("default", "a|,|b| |$|5|;|c", "a,b $5;c");
  }

  @Test
  void otherFamilies() {
    assertCuts(
        "tekken", "Hello|World|HELLO| \u00C9COLE|1|2|/\n", "HelloWorldHELLO \u00C9COLE12/\n");
    assertCuts("gpt-4o", "I've| Hello|World's| |123|4", "I've HelloWorld's 1234");
    assertCuts("qwen35", "e\u0301a| |1|2", "e\u0301a 12");
    assertCuts("deepseek-v3", "a| |123|4|\u4E2D\u6587|.b|=", "a 1234\u4E2D\u6587.b=");
    assertCuts("tiny_aya", "a| |1|234|567", "a 1234567");
    assertCuts("afmoe", "12|345|x", "12345x");
    assertCuts("bloom", "a| b|,| c", "a b, c");
    assertCuts("exaone-moe", "ab cd|1| e", "ab cd1 e");
    assertCuts("falcon", "a|,`| b|123|4", "a,` b1234");
    assertCuts("command-r", " a|  |1|2|'s", " a  12's");
  }

  /** Loops over groups would recurse, and searches begun anew at each character never end. */
  @ParameterizedTest
  @EnumSource
  void longTextsAreCut(PreTokenizer preTokenizer) {
    for (String unit : List.of("a", "A", " ", "\n", "1", "!", "\u0301", "a b ", " \t")) {
      String text = unit.repeat(200_000) + "x";
      assertEquals(text, String.join("", preTokenizer.words(text)));
    }
  }

  @ParameterizedTest
  @EnumSource
  void nothingIsLostOrEmpty(PreTokenizer preTokenizer) {
    long seed = 77;
    RandomTexts texts = new RandomTexts(new Random(seed));
    for (int i = 0; i < 500; i++) {
      String text = texts.next();
      String what = "seed " + seed + " case " + i;
      assertEquals(text, String.join("", preTokenizer.words(text)), what);
      assertTrue(
          text.isEmpty() || preTokenizer.words(text).stream().noneMatch(String::isEmpty), what);
    }
  }

  @Test
  void unknownNamesAreRefused() {
    assertThrows(IllegalArgumentException.class, () -> PreTokenizer.of("kimi-k2"));
  }
}
