package kv4j.model.chat;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import kv4j.model.Tokenizer;
import kv4j.model.tokenizer.GgufTokenizers;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class TranscriptTest {
  private static final String CHATML =
      "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}"
          + "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}";
  private static final String STRIPPED = CHATML.replace("m.content", "m.content | trim");
  private static final String INST =
      "{{ bos_token }}{% for m in messages %}{% if m.role == 'user' %}[INST] {{ m.content }} [/INST]"
          + "{% else %}{{ m.content }} {{ eos_token }}{% endif %}{% endfor %}";
  private static final String[] SAYINGS = {
    "ab",
    "abc b a",
    " a  b ",
    "<|im_end|>",
    "é€😀",
    "x\ny",
    "[INST]",
    "<s> a</s>",
    "aaabbbabab",
    ":"
  };

  /** Byte-level, with merges that give every text of a and b several writings. */
  private static Tokenizer pairs() {
    List<String> tokens = new ArrayList<>();
    List<Integer> types = new ArrayList<>();
    int others = 0;
    for (int b = 0; b < 256; b++) { // GPT-2's letters for bytes
      boolean visible = b >= '!' && b <= '~' || b >= 0xA1 && b <= 0xAC || b >= 0xAE;
      tokens.add(Character.toString(visible ? b : 256 + others++));
    }
    tokens.addAll(List.of("ab", "aba", "Ġa", "<|im_start|>", "<|im_end|>"));
    for (int token = 0; token < tokens.size(); token++) {
      types.add(tokens.get(token).startsWith("<|im") ? 3 : 1);
    }
    Map<String, Object> metadata = new HashMap<>();
    metadata.put("tokenizer.ggml.model", "gpt2");
    metadata.put("tokenizer.ggml.pre", "gpt-2");
    metadata.put("tokenizer.ggml.tokens", tokens);
    metadata.put("tokenizer.ggml.token_type", types);
    metadata.put("tokenizer.ggml.merges", List.of("a b", "ab a", "Ġ a"));
    metadata.put("tokenizer.ggml.eos_token_id", tokens.size() - 1);
    return GgufTokenizers.from(metadata);
  }

  /** SentencePiece, which puts spaces before texts. */
  private static Tokenizer pieces() {
    List<String> tokens = new ArrayList<>(List.of("<unk>", "<s>", "</s>"));
    List<Integer> types = new ArrayList<>(List.of(2, 3, 3));
    for (int b = 0; b < 256; b++) {
      tokens.add(String.format("<0x%02X>", b));
      types.add(6);
    }
    for (String piece : List.of("▁", "a", "b", "ab", "▁a", "aba", "▁ab", ":", "[", "]", "▁[")) {
      tokens.add(piece);
      types.add(1);
    }
    Map<String, Object> metadata = new HashMap<>();
    metadata.put("tokenizer.ggml.model", "llama");
    metadata.put("tokenizer.ggml.tokens", tokens);
    metadata.put("tokenizer.ggml.token_type", types);
    metadata.put(
        "tokenizer.ggml.scores",
        IntStream.range(0, tokens.size()).mapToObj(i -> -(float) i).toList());
    return GgufTokenizers.from(metadata);
  }

  private static ChatTemplate template(String name) {
    return switch (name) {
      case "chatml" -> new ChatTemplate(CHATML, "", "<|im_end|>");
      case "stripped" -> new ChatTemplate(STRIPPED, "", "<|im_end|>");
      case "inst" -> new ChatTemplate(INST, "<s>", "</s>");
      default -> ChatTemplate.plain();
    };
  }

  private static ChatMessage user(String text) {
    return new ChatMessage("user", text);
  }

  private static ChatMessage assistant(String text) {
    return new ChatMessage("assistant", text);
  }

  /** Text and special tokens, but for spaces that a tokenizer adds. */
  private static String said(Tokenizer tokenizer, int[] tokens) {
    StringBuilder said = new StringBuilder();
    int from = 0;
    for (int i = 0; i <= tokens.length; i++) {
      if (i == tokens.length || tokenizer.bytes(tokens[i]).length == 0) {
        byte[] bytes = tokenizer.decodeBytes(Arrays.copyOfRange(tokens, from, i));
        String text = new String(bytes, StandardCharsets.UTF_8);
        said.append(tokenizer.addsSpace() ? text.replaceFirst("^ +", "") : text);
        said.append(i < tokens.length ? "[" + tokens[i] + "]" : "");
        from = i + 1;
      }
    }
    return said.toString();
  }

  @Test
  void anAnswerKeepsItsIdsHoweverItWasWritten() {
    Tokenizer tokenizer = pairs();
    ChatTemplate template = template("chatml");
    Transcript transcript = new Transcript(template, tokenizer);
    List<ChatMessage> messages = new ArrayList<>(List.of(user("hi")));
    Transcript.Prompt first = transcript.prompt(messages);
    assertArrayEquals(template.encode(tokenizer, messages, true), first.tokens());
    assertEquals(0, first.answerTokens(first.tokens().length));

    int[] letters = {'a', 'b', 'a'}; // which encode as one token
    int end = tokenizer.endToken();
    transcript.answered(first, letters);
    messages.addAll(List.of(assistant("aba"), user("and?")));
    int[] second = transcript.prompt(messages).tokens();
    int[] begin = IntStream.concat(IntStream.of(first.tokens()), IntStream.of(letters)).toArray();
    assertArrayEquals(begin, Arrays.copyOf(second, begin.length));
    assertEquals(end, second[begin.length]);
    assertEquals(second.length - 2, template.encode(tokenizer, messages, true).length);
    assertEquals(0, transcript.prompt(messages).answerTokens(first.tokens().length));
    assertEquals(2, transcript.prompt(messages).answerTokens(begin.length - 1));
    assertEquals(3, transcript.prompt(messages).answerTokens(second.length));
  }

  @Test
  void whereTheTemplateChangesAnAnswerItIsEncodedAnew() {
    Tokenizer tokenizer = pairs();
    Transcript transcript = new Transcript(template("stripped"), tokenizer);
    List<ChatMessage> messages = new ArrayList<>(List.of(user("hi")));
    Transcript.Prompt first = transcript.prompt(messages);
    transcript.answered(first, new int[] {'a', 'b', 220, 220});
    messages.addAll(List.of(assistant("ab  "), user("and?")));
    Transcript.Prompt second = transcript.prompt(messages);
    assertEquals(2, second.answerTokens(second.tokens().length));
    assertEquals('b', second.tokens()[first.tokens().length + 1]);

    transcript.answered(first, new int[] {220, 'a', 'b'}); // " ab", which loses its space
    messages.set(1, assistant(" ab"));
    assertArrayEquals(
        template("stripped").encode(tokenizer, messages, true),
        transcript.prompt(messages).tokens());
  }

  @Test
  void bytesThatAreNoTextAreKeptAsTheyWereShown() {
    Tokenizer tokenizer = pairs();
    Transcript transcript = new Transcript(template("chatml"), tokenizer);
    List<ChatMessage> messages = new ArrayList<>(List.of(user("hi")));
    Transcript.Prompt first = transcript.prompt(messages);
    int[] half = {
      'a',
      IntStream.range(0, 256)
          .filter(t -> tokenizer.bytes(t)[0] == (byte) 0xE2)
          .findFirst()
          .orElseThrow()
    };
    transcript.answered(first, half);
    messages.addAll(List.of(assistant("a\uFFFD"), user("and?")));
    assertEquals(2, transcript.prompt(messages).answerTokens(Integer.MAX_VALUE));
    messages.set(1, assistant("a"));
    assertEquals(1, transcript.prompt(messages).answerTokens(Integer.MAX_VALUE));
  }

  /** Half characters, special-looking text, control tokens within: never another prompt. */
  @ParameterizedTest
  @CsvSource({"pairs,chatml", "pairs,stripped", "pairs,plain", "pieces,inst", "pieces,plain"})
  void everyPromptSaysWhatTheTemplateSays(String vocabulary, String name) {
    Tokenizer tokenizer = vocabulary.equals("pairs") ? pairs() : pieces();
    ChatTemplate template = template(name);
    long seed = System.nanoTime();
    SplittableRandom random = new SplittableRandom(seed);
    int reused = 0;
    for (int round = 0; round < 60; round++) {
      Transcript transcript = new Transcript(template, tokenizer);
      List<ChatMessage> messages = new ArrayList<>();
      for (int turn = 0; turn < 5; turn++) {
        messages.add(user(SAYINGS[random.nextInt(SAYINGS.length)]));
        Transcript.Prompt prompt = transcript.prompt(messages);
        String trouble = "seed " + seed + ", round " + round + ": " + messages;
        int[] encoded = template.encode(tokenizer, messages, true);
        assertEquals(said(tokenizer, encoded), said(tokenizer, prompt.tokens()), trouble);
        reused += prompt.answerTokens(Integer.MAX_VALUE);
        int[] answer = answer(tokenizer, random);
        String text = new String(tokenizer.decodeBytes(answer), StandardCharsets.UTF_8);
        int cut = random.nextInt(4) == 0 ? text.length() / 2 : text.length();
        transcript.answered(prompt, answer);
        messages.add(assistant(text.substring(0, cut)));
      }
    }
    assertTrue(reused > 60, "seed " + seed + ": only " + reused);
  }

  /** Letters, bytes and now and then any token at all. */
  private static int[] answer(Tokenizer tokenizer, SplittableRandom random) {
    int[] answer = new int[random.nextInt(8)];
    for (int i = 0; i < answer.length; i++) {
      int[] letters = tokenizer.encode(random.nextInt(3) == 0 ? "<|im_end|>" : "ab");
      answer[i] =
          random.nextInt(12) == 0
              ? random.nextInt(tokenizer.vocabulary())
              : letters[random.nextInt(letters.length)];
    }
    return answer;
  }
}
