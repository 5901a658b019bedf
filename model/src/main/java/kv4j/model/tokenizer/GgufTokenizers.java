package kv4j.model.tokenizer;

import java.util.ArrayList;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.function.BiConsumer;
import java.util.function.BiFunction;
import kv4j.model.ByteTokenizer;
import kv4j.model.Tokenizer;
import kv4j.model.tokenizer.Vocabulary.Type;

/** Makes the tokenizer that a GGUF file's metadata describes, and metadata of tokenizers. */
public final class GgufTokenizers {
  private static final String PREFIX = "tokenizer.ggml.";

  private static final Set<Type> SPECIAL =
      EnumSet.of(Type.CONTROL, Type.UNKNOWN, Type.USER_DEFINED);

  /** Phi 3's special tokens that leave the whitespace after them. */
  private static final Set<String> NOT_STRIPPING = Set.of("<unk>", "<s>", "<|endoftext|>");

  private final Map<String, Object> metadata;

  private GgufTokenizers(Map<String, Object> metadata) {
    this.metadata = metadata;
  }

  /**
   * The tokenizer of a file.
   *
   * @param metadata values by the keys of the GGUF specification: strings, numbers, booleans, and
   *     lists of these
   * @throws IllegalArgumentException if the metadata has no vocabulary, one of a kind that is not
   *     supported, or one that is not consistent
   */
  public static Tokenizer from(Map<String, Object> metadata) {
    return new GgufTokenizers(metadata).tokenizer();
  }

  /**
   * The metadata by which llama.cpp and {@link #from} make the same tokenizer again; empty if it is
   * of a kind that they cannot describe.
   */
  public static Map<String, Object> metadata(Tokenizer tokenizer) {
    if (tokenizer instanceof ByteTokenizer) {
      return metadata("gpt2", bytes());
    }
    return tokenizer instanceof SentencePieceTokenizer pieces
        ? metadata("llama", pieces.vocabulary)
        : Map.of();
  }

  /** A token for each byte, named as byte-level vocabularies do, without merges. */
  private static Vocabulary bytes() {
    ByteTokenizer bytes = new ByteTokenizer();
    List<String> tokens = new ArrayList<>();
    List<Type> types = new ArrayList<>();
    for (int token = 0; token < bytes.vocabulary(); token++) {
      boolean isByte = bytes.bytes(token).length > 0;
      tokens.add(
          isByte
              ? String.valueOf(BytePairTokenizer.ByteAlphabet.character(token))
              : token == bytes.beginToken() ? "<s>" : "</s>");
      types.add(isByte ? Type.NORMAL : Type.CONTROL);
    }
    Vocabulary.Settings settings =
        new Vocabulary.Settings(
            bytes.beginToken(),
            bytes.endToken(),
            -1,
            bytes.endTokens(),
            bytes.addsBegin(),
            bytes.addsSpace());
    return new Vocabulary(tokens, List.of(), types, List.of(), settings);
  }

  private static Map<String, Object> metadata(String model, Vocabulary vocabulary) {
    Map<String, Object> metadata = new LinkedHashMap<>();
    BiConsumer<String, Object> put = (name, value) -> metadata.put(PREFIX + name, value);
    put.accept("model", model);
    put.accept("tokens", vocabulary.tokens());
    put.accept("token_type", vocabulary.types().stream().map(type -> type.ordinal() + 1).toList());
    if (model.equals("gpt2")) {
      put.accept("pre", "gpt-2");
      put.accept("merges", vocabulary.merges());
    } else {
      put.accept("scores", vocabulary.scores());
    }
    Vocabulary.Settings settings = vocabulary.settings();
    Map<String, Integer> ids = new LinkedHashMap<>();
    ids.put("bos", settings.begin());
    ids.put("eos", settings.end());
    ids.put("unknown", settings.unknown());
    ids.forEach(
        (role, id) -> {
          if (id >= 0) {
            put.accept(role + "_token_id", id);
          }
        });
    put.accept("add_bos_token", settings.addsBegin());
    put.accept("add_space_prefix", settings.addsSpace());
    return metadata;
  }

  private Tokenizer tokenizer() {
    String model = value("model", String.class, null);
    if (model == null) {
      throw new IllegalArgumentException("the file has no vocabulary: no " + PREFIX + "model");
    }
    return switch (model) {
      case "llama" -> new SentencePieceTokenizer(vocabulary(1, 2, 0, true, true));
      case "gpt2" -> {
        PreTokenizer words = PreTokenizer.of(value("pre", String.class, "default"));
        yield new BytePairTokenizer(vocabulary(-1, -1, -1, words.addsBegin(), false), words);
      }
      default ->
          throw new IllegalArgumentException(
              "unsupported vocabulary '" + model + "'; supported are llama, gpt2");
    };
  }

  /** The vocabulary, with what holds where the file says nothing. */
  private Vocabulary vocabulary(
      int begin, int end, int unknown, boolean addsBegin, boolean addsSpace) {
    List<String> tokens = list("tokens", (value, token) -> cast("tokens", value, String.class));
    List<Type> types = list("token_type", GgufTokenizers::type);
    int beginId = id("bos", begin, tokens.size());
    int endId = id("eos", end, tokens.size());
    Map<String, Integer> named = new HashMap<>();
    for (String role : EndOfGeneration.ROLES) {
      int id = role.equals("eos") ? endId : id(role, -1, tokens.size());
      if (id >= 0) {
        named.put(role, id);
      }
    }
    EndOfGeneration ends = EndOfGeneration.of(tokens, types, named);
    Vocabulary.Settings settings =
        new Vocabulary.Settings(
            beginId,
            endId,
            id("unknown", unknown, tokens.size()),
            ends.tokens(),
            beginId >= 0 && value("add_bos_token", Boolean.class, addsBegin),
            addsSpace && value("add_space_prefix", Boolean.class, true),
            stripping(tokens, ends.types()));
    return new Vocabulary(
        tokens,
        list("scores", (value, token) -> cast("scores", value, Number.class).floatValue()),
        ends.types(),
        list("merges", (value, rank) -> cast("merges", value, String.class)),
        settings);
  }

  /**
   * Special tokens that take the whitespace after them. GGUF has no term for it; llama.cpp tells
   * the family that has them, Phi 3, by the model's name.
   */
  private Set<Integer> stripping(List<String> tokens, List<Type> types) {
    String name = String.valueOf(metadata.get("general.name")).toLowerCase(Locale.ROOT);
    Set<Integer> stripping = new HashSet<>();
    if (name.contains("phi-3") || name.contains("phi3")) {
      for (int token = 0; token < Math.min(tokens.size(), types.size()); token++) {
        if (SPECIAL.contains(types.get(token)) && !NOT_STRIPPING.contains(tokens.get(token))) {
          stripping.add(token);
        }
      }
    }
    return stripping;
  }

  private static Type type(Object value, int token) {
    long number = cast("token_type", value, Number.class).longValue();
    if (number < 1 || number > Type.values().length) {
      throw new IllegalArgumentException(
          "token " + token + " has type " + number + " instead of 1 to " + Type.values().length);
    }
    return Type.values()[(int) number - 1];
  }

  private int id(String role, int otherwise, int vocabulary) {
    Number id = value(role + "_token_id", Number.class, null);
    if (id == null) {
      return otherwise < vocabulary ? otherwise : -1;
    }
    if (id.longValue() < 0 || id.longValue() >= vocabulary) {
      throw new IllegalArgumentException(
          PREFIX + role + "_token_id " + id + " is not among " + vocabulary + " tokens");
    }
    return id.intValue();
  }

  private <T> T value(String name, Class<T> type, T otherwise) {
    Object value = metadata.get(PREFIX + name);
    return value == null ? otherwise : cast(name, value, type);
  }

  private <T> List<T> list(String name, BiFunction<Object, Integer, T> element) {
    List<?> values = value(name, List.class, List.of());
    List<T> list = new ArrayList<>(values.size());
    for (Object value : values) {
      list.add(element.apply(value, list.size()));
    }
    return list;
  }

  private static <T> T cast(String name, Object value, Class<T> type) {
    if (!type.isInstance(value)) {
      throw new IllegalArgumentException(
          PREFIX + name + " does not hold what it should, a " + type.getSimpleName());
    }
    return type.cast(value);
  }
}
