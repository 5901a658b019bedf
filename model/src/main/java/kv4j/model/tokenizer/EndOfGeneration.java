package kv4j.model.tokenizer;

import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import kv4j.model.tokenizer.Vocabulary.Type;

/**
 * The tokens of a GGUF vocabulary after which a generation stops, as llama.cpp has them ({@code
 * llama_vocab::impl::load} in {@code llama-vocab.cpp}): those that the file names, and those by
 * whose names vocabularies are known to end a turn or a text, whatever type the file gives them.
 *
 * @param tokens ids
 * @param types of all tokens, corrected: one that ends a generation is a control token
 */
record EndOfGeneration(Set<Integer> tokens, List<Type> types) {
  private static final Set<String> NAMES =
      Set.of(
          "<|eot_id|>",
          "<|im_end|>",
          "<|end|>",
          "<|return|>",
          "<|call|>",
          "<|flush|>",
          "<|calls|>",
          "<end_of_turn>",
          "<|endoftext|>",
          "</s>",
          "<|eom_id|>",
          "<EOT>",
          "_<EOT>",
          "[EOT]",
          "[EOS]",
          "<|end_of_text|>",
          "<end_of_utterance>",
          "<eos>",
          "<turn|>",
          "<|tool_response>",
          "<\uFF5Cend\u2581of\u2581sentence\uFF5C>",
          "[e~[");

  /** Names by role, for files that do not name the token of a role; the first token counts. */
  private static final Map<String, Set<String>> INFILL =
      Map.of(
          "fim_pad", Set.of("<|fim_pad|>", "<fim-pad>", "<fim_pad>", "<PAD>", "[PAD]"),
          "fim_rep", Set.of("<|fim_repo|>", "<|repo_name|>", "<fim-repo>", "<REPO>", "<reponame>"),
          "fim_sep", Set.of("<|file_sep|>"));

  /** Roles by which a file may name tokens that end a generation. */
  static final List<String> ROLES = List.of("eos", "eot", "eom", "fim_pad", "fim_rep", "fim_sep");

  /** Of the Harmony format, in which they are shown. */
  private static final Set<String> SHOWN =
      Set.of("<|channel|>", "<|message|>", "<|start|>", "<|constrain|>");

  /** Copies both. */
  EndOfGeneration {
    tokens = Set.copyOf(tokens);
    types = List.copyOf(types);
  }

  /**
   * Finds them.
   *
   * @param texts of all tokens
   * @param types of all tokens; empty if all are normal
   * @param named ids by {@link #ROLES}, of those that the file names
   */
  static EndOfGeneration of(List<String> texts, List<Type> types, Map<String, Integer> named) {
    if (!types.isEmpty() && types.size() != texts.size()) {
      return new EndOfGeneration(Set.copyOf(named.values()), types); // which is refused elsewhere
    }
    List<Type> corrected =
        new ArrayList<>(types.isEmpty() ? Collections.nCopies(texts.size(), Type.NORMAL) : types);
    Set<Integer> ends = new HashSet<>(named.values());
    Map<String, Integer> byName = new HashMap<>();
    for (int token = 0; token < texts.size(); token++) {
      String text = texts.get(token);
      if (NAMES.contains(text) && byName.putIfAbsent(text, token) == null) {
        ends.add(token);
        corrected.set(token, Type.CONTROL);
      } else if (SHOWN.contains(text)) {
        corrected.set(token, Type.USER_DEFINED);
      }
    }
    INFILL.forEach(
        (role, names) -> {
          int token = named.containsKey(role) ? -1 : first(texts, names);
          if (token >= 0) {
            ends.add(token);
            corrected.set(token, Type.CONTROL);
          }
        });
    boolean harmony =
        has(byName, "<|return|>", "<|call|>") || has(byName, "<|return|>", "<|calls|>");
    boolean solar = has(byName, "<|flush|>", "<|call|>") || has(byName, "<|flush|>", "<|calls|>");
    if ((harmony || solar) && byName.containsKey("<|end|>")) { // ends a part of an answer
      ends.remove(byName.get("<|end|>"));
      corrected.set(byName.get("<|end|>"), Type.USER_DEFINED);
    }
    if (has(byName, "<|tool_response>", "</s>")) { // whose vocabulary has it as text
      ends.remove(byName.get("</s>"));
      corrected.set(byName.get("</s>"), Type.NORMAL);
    }
    boolean unchanged = types.isEmpty() && corrected.stream().allMatch(Type.NORMAL::equals);
    return new EndOfGeneration(ends, unchanged ? types : corrected);
  }

  private static boolean has(Map<String, Integer> tokens, String one, String other) {
    return tokens.containsKey(one) && tokens.containsKey(other);
  }

  private static int first(List<String> texts, Set<String> names) {
    for (int token = 0; token < texts.size(); token++) {
      if (names.contains(texts.get(token))) {
        return token;
      }
    }
    return -1;
  }
}
