package kv4j.model.family;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import kv4j.model.format.ModelFileException;

/**
 * What is done with each key by which a file describes its model: the table {@code
 * config-keys.tsv}, by the config classes of Transformers 4 and 5 and the keys of llama.cpp.
 *
 * <p>A key that changes what a model computes is obeyed, or refused unless its value is one that
 * changes nothing. A key that is not in the table is refused too if its name sounds like
 * arithmetic, since models that are almost of a family differ in just such keys; others, of which
 * files have any number, are named and left alone.
 */
final class ConfigKeys {
  /** What is done with a key. */
  enum Handling {
    /** Read; what of it is not supported is refused. */
    OBEYED,
    /** Changes nothing that is computed here. */
    HARMLESS,
    /** Refused, but for values that change nothing. */
    REFUSED
  }

  /**
   * A line of the table.
   *
   * @param file {@code config.json}, {@code rope} for the objects in it, or {@code GGUF}
   * @param families by {@code model_type} or GGUF's architecture
   * @param name of the key, without GGUF's architecture; {@code *} for any end
   * @param neutral values that change nothing; null and empty ones never do
   * @param meaning for people
   */
  record Key(
      String file,
      Set<String> families,
      String name,
      Handling handling,
      List<Object> neutral,
      String meaning) {
    private boolean matches(String key) {
      return name.endsWith("*")
          ? key.startsWith(name.substring(0, name.length() - 1))
          : key.equals(name);
    }

    boolean isNeutral(Object value) {
      return value == null
          || value instanceof Map<?, ?> map && map.isEmpty()
          || value instanceof List<?> list && list.isEmpty()
          || neutral.stream().anyMatch(one -> equal(one, value));
    }

    private static boolean equal(Object one, Object other) {
      return one instanceof Number number && other instanceof Number same
          ? number.doubleValue() == same.doubleValue()
          : one.equals(other);
    }

    private ModelFileException refused(Fields fields, String key, Object value) {
      String except =
          neutral.isEmpty()
              ? " is not supported"
              : " is not supported except as "
                  + neutral.stream().map(Object::toString).collect(Collectors.joining(" or "));
      return new ModelFileException(
          fields.origin(), key + except + Fields.shown(value) + " (" + meaning + ")");
    }
  }

  static final String CONFIG = "config.json";
  static final String ROPE = "rope";
  static final String GGUF = "GGUF";

  private static final String TABLE = "config-keys.tsv";

  /** Of names of keys that change what is computed, in any family that there is. */
  private static final Pattern ARITHMETIC =
      Pattern.compile(
          "scal|multipl|softcap|soft_cap|clip|clamp|factor|causal|bias|norm|alibi|rope|rotary|window"
              + "|expert|moe|parallel|residual|attn|attention|activation|hidden_act|sparse|quant"
              + "|temperature|layer_types|mup_|sink|gate");

  private static final List<Key> KEYS = read();

  private ConfigKeys() {}

  /** The whole table, in its order. */
  static List<Key> all() {
    return KEYS;
  }

  private static List<Key> read() {
    try (InputStream in = ConfigKeys.class.getResourceAsStream(TABLE)) {
      String text = new String(in.readAllBytes(), StandardCharsets.UTF_8);
      return text.lines().filter(line -> !line.startsWith("#")).map(ConfigKeys::key).toList();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static Key key(String line) {
    String[] cells = line.split("\t", -1);
    Handling handling =
        Arrays.stream(Handling.values())
            .filter(one -> one.name().equalsIgnoreCase(cells[3]))
            .findFirst()
            .orElseThrow();
    return new Key(
        cells[0], Set.of(cells[1].split(" ")), cells[2], handling, values(cells[4]), cells[5]);
  }

  private static List<Object> values(String json) {
    try {
      return json.isEmpty()
          ? List.of()
          : Arrays.asList(new ObjectMapper().readValue(json, Object[].class));
    } catch (JsonProcessingException e) {
      throw new IllegalStateException(TABLE + ": " + json, e);
    }
  }

  /**
   * Refuses what would be computed otherwise than the file says.
   *
   * @param file which part of the table, such as {@link #CONFIG}
   * @param family {@code model_type}, or GGUF's architecture
   * @return keys that are in no table, as the file has them
   * @throws ModelFileException if there is a key that is not supported, or not with its value
   */
  static List<String> check(Fields fields, String file, String family) {
    List<String> unknown = new ArrayList<>();
    fields
        .values()
        .forEach(
            (name, value) -> {
              String whole = name.toString();
              if (!whole.startsWith(fields.prefix())) {
                return; // in GGUF, about the file or its tokenizer
              }
              String key = whole.substring(fields.prefix().length());
              Key known = find(file, family, key);
              if (known != null) {
                if (known.handling == Handling.REFUSED && !known.isNeutral(value)) {
                  throw known.refused(fields, whole, value);
                }
                return;
              }
              if (value != null && !Boolean.FALSE.equals(value)) {
                if (file.equals(ROPE) || ARITHMETIC.matcher(key).find()) {
                  throw new ModelFileException(
                      fields.origin(),
                      ModelFileException.printable(whole)
                          + " is not known, and may change what the model computes");
                }
                unknown.add(whole);
              }
            });
    return unknown;
  }

  private static Key find(String file, String family, String key) {
    return KEYS.stream()
        .filter(one -> one.file.equals(file) && one.families.contains(family) && one.matches(key))
        .findFirst()
        .orElse(null);
  }
}
