package kv4j.model.tokenizer;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** Small vocabularies, made by hand. */
final class Vocabularies {
  static final String SPACE = "\u2581";

  private Vocabularies() {}

  /** Byte-level: the bytes as ids 0 to 255, the merges' results, then the tokens given. */
  static Map<String, Object> byteLevel(String pre, List<String> merges, String... control) {
    List<String> tokens = new ArrayList<>();
    for (int value = 0; value < 256; value++) {
      tokens.add(String.valueOf(BytePairTokenizer.ByteAlphabet.character(value)));
    }
    merges.forEach(merge -> tokens.add(merge.replace(" ", "")));
    List<Integer> types = types(tokens.size(), 1);
    for (String text : control) {
      tokens.add(text);
      types.add(3);
    }
    Map<String, Object> metadata = new HashMap<>();
    metadata.put("tokenizer.ggml.model", "gpt2");
    metadata.put("tokenizer.ggml.pre", pre);
    metadata.put("tokenizer.ggml.tokens", tokens);
    metadata.put("tokenizer.ggml.token_type", types);
    metadata.put("tokenizer.ggml.merges", merges);
    return metadata;
  }

  /** SentencePiece: unknown, begin, end, the bytes as ids 3 to 258, then pieces by rank. */
  static Map<String, Object> sentencePiece(String... pieces) {
    List<String> tokens = new ArrayList<>(List.of("<unk>", "<s>", "</s>"));
    List<Integer> types = new ArrayList<>(List.of(2, 3, 3));
    List<Float> scores = new ArrayList<>(List.of(0f, 0f, 0f));
    for (int value = 0; value < 256; value++) {
      tokens.add(String.format("<0x%02X>", value));
      types.add(6);
      scores.add(0f);
    }
    for (int rank = 0; rank < pieces.length; rank++) {
      tokens.add(pieces[rank].replace(" ", SPACE));
      types.add(1);
      scores.add((float) -rank);
    }
    Map<String, Object> metadata = new HashMap<>();
    metadata.put("tokenizer.ggml.model", "llama");
    metadata.put("tokenizer.ggml.tokens", tokens);
    metadata.put("tokenizer.ggml.token_type", types);
    metadata.put("tokenizer.ggml.scores", scores);
    return metadata;
  }

  private static List<Integer> types(int count, int type) {
    List<Integer> types = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      types.add(type);
    }
    return types;
  }
}
