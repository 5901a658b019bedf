package kv4j.model.tokenizer;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.List;

/** Makes {@code tokenizer.json} files. */
final class HuggingFaceFolder {
  private static final ObjectMapper JSON = new ObjectMapper();

  private HuggingFaceFolder() {}

  /** A byte-level vocabulary cut as GPT-2 cuts. */
  static ObjectNode byteLevel(List<String> tokens, List<String> merges) {
    ObjectNode json = JSON.createObjectNode().put("version", "1.0");
    json.putArray("added_tokens");
    byteLevel(json.putObject("pre_tokenizer"));
    byteLevel(json.putObject("decoder"));
    model(json, tokens, merges);
    return json;
  }

  /** A SentencePiece vocabulary as Llama 2's: a space before the text, and byte fallback. */
  static ObjectNode sentencePiece(List<String> tokens, List<String> merges) {
    ObjectNode json = JSON.createObjectNode().put("version", "1.0");
    json.putArray("added_tokens");
    ArrayNode normalizers =
        json.putObject("normalizer").put("type", "Sequence").putArray("normalizers");
    normalizers.addObject().put("type", "Prepend").put("prepend", "\u2581");
    replace(normalizers.addObject(), " ", "\u2581");
    ArrayNode decoders = json.putObject("decoder").put("type", "Sequence").putArray("decoders");
    replace(decoders.addObject(), "\u2581", " ");
    decoders.addObject().put("type", "ByteFallback");
    decoders.addObject().put("type", "Fuse");
    decoders.addObject().put("type", "Strip").put("content", " ").put("start", 1).put("stop", 0);
    model(json, tokens, merges)
        .put("byte_fallback", true)
        .put("fuse_unk", true)
        .put("unk_token", "<unk>");
    return json;
  }

  static void addToken(ObjectNode json, int id, String text, boolean special) {
    ObjectNode token = json.withArray("/added_tokens").addObject();
    token.put("id", id).put("content", text).put("special", special).put("normalized", false);
    token.put("single_word", false).put("lstrip", false).put("rstrip", false);
  }

  private static ObjectNode model(ObjectNode json, List<String> tokens, List<String> merges) {
    ObjectNode model = json.putObject("model").put("type", "BPE");
    ObjectNode vocabulary = model.putObject("vocab");
    for (int i = 0; i < tokens.size(); i++) {
      vocabulary.put(tokens.get(i), i);
    }
    ArrayNode list = model.putArray("merges");
    merges.forEach(list::add);
    return model;
  }

  private static void byteLevel(ObjectNode node) {
    node.put("type", "ByteLevel").put("add_prefix_space", false).put("trim_offsets", true);
    node.put("use_regex", true);
  }

  private static void replace(ObjectNode node, String text, String by) {
    node.put("type", "Replace").put("content", by).putObject("pattern").put("String", text);
  }
}
