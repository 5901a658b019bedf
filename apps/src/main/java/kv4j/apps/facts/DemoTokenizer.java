package kv4j.apps.facts;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import kv4j.model.Tokenizer;
import kv4j.model.tokenizer.BytePairTraining;
import kv4j.model.tokenizer.GgufTokenizers;
import kv4j.model.tokenizer.PreTokenizer;

/**
 * The demo model's vocabulary, learnt from the texts of this package: each digit is a token, and
 * three control tokens frame turns as ChatML does.
 *
 * @param merges pairs with a space between, the most frequent first
 */
record DemoTokenizer(List<String> merges) {
  /** How many tokens it has. */
  static final int VOCABULARY = 1536;

  /** Begins a text, and fills up what is left of a row. */
  static final String BEGIN = "<|endoftext|>";

  static final String TURN_BEGIN = "<|im_start|>";
  static final String TURN_END = "<|im_end|>";

  /** Control tokens in the order of their ids, from 0. */
  private static final List<String> CONTROL = List.of(BEGIN, TURN_BEGIN, TURN_END);

  private static final String TEMPLATE =
      "{{ bos_token }}{% for message in messages %}"
          + "{{ '<|im_start|>' + message.role + '\\n' + message.content + '<|im_end|>\\n' }}"
          + "{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}";

  private static final int BYTES = 256;
  private static final int PAGES = 3000;
  private static final int FACTS = 20;
  private static final int OTHERS = 12;
  private static final int TURNS = 20;

  /** Learns it from texts of a seed. */
  static DemoTokenizer learn(long seed) {
    Stream<String> texts =
        IntStream.range(0, PAGES).boxed().flatMap(page -> texts(new Draw(seed + page)));
    int merges = VOCABULARY - CONTROL.size() - BYTES;
    return new DemoTokenizer(BytePairTraining.merges(texts, PreTokenizer.SMOLLM, merges));
  }

  private static Stream<String> texts(Draw draw) {
    Page page = Page.of(FACTS, OTHERS, Split.TRAINING, draw);
    List<String> texts = new ArrayList<>(List.of(page.text(), "system\n", "user\n", "assistant\n"));
    Interview interview = new Interview(page, draw);
    for (int i = 0; i < TURNS; i++) {
      Turn turn = interview.next();
      texts.add(turn.question());
      texts.add(turn.answer());
    }
    return texts.stream();
  }

  private List<String> tokens() {
    return Stream.concat(CONTROL.stream(), BytePairTraining.tokens(merges).stream()).toList();
  }

  /** At work. */
  Tokenizer tokenizer() {
    List<String> tokens = tokens();
    Map<String, Object> metadata = new LinkedHashMap<>();
    metadata.put("tokenizer.ggml.model", "gpt2");
    metadata.put("tokenizer.ggml.pre", "smollm");
    metadata.put("tokenizer.ggml.tokens", tokens);
    metadata.put(
        "tokenizer.ggml.token_type",
        tokens.stream().map(token -> CONTROL.contains(token) ? 3 : 1).toList());
    metadata.put("tokenizer.ggml.merges", merges);
    metadata.put("tokenizer.ggml.bos_token_id", CONTROL.indexOf(BEGIN));
    metadata.put("tokenizer.ggml.eos_token_id", CONTROL.indexOf(TURN_END));
    return GgufTokenizers.from(metadata);
  }

  /** Writes it, with the chat template, as Hugging Face's libraries have it beside a model. */
  void write(Path folder) throws IOException {
    ObjectMapper json = new ObjectMapper();
    json.writeValue(folder.resolve("tokenizer.json").toFile(), json());
    json.writeValue(
        folder.resolve("tokenizer_config.json").toFile(),
        Map.of(
            "bos_token", BEGIN,
            "eos_token", TURN_END,
            "add_bos_token", true,
            "chat_template", TEMPLATE));
  }

  private Map<String, Object> json() {
    Map<String, Integer> ids = new LinkedHashMap<>();
    tokens().forEach(token -> ids.put(token, ids.size()));
    Map<String, Object> digits = Map.of("type", "Digits", "individual_digits", true);
    Map<String, Object> bytes =
        Map.of(
            "type",
            "ByteLevel",
            "add_prefix_space",
            false,
            "trim_offsets",
            true,
            "use_regex",
            true);
    return Map.of(
        "added_tokens",
        CONTROL.stream().map(DemoTokenizer::control).toList(),
        "pre_tokenizer",
        Map.of("type", "Sequence", "pretokenizers", List.of(digits, bytes)),
        "decoder",
        bytes,
        "model",
        Map.of("type", "BPE", "vocab", ids, "merges", merges));
  }

  private static Map<String, Object> control(String token) {
    Map<String, Object> control = new LinkedHashMap<>();
    control.put("id", CONTROL.indexOf(token));
    control.put("content", token);
    for (String how : List.of("single_word", "lstrip", "rstrip", "normalized")) {
      control.put(how, false);
    }
    control.put("special", true);
    return control;
  }
}
