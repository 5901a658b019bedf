package kv4j.apps.facts;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Texts that lie beside the classes; lines that begin with {@code #} are comments. */
final class TextResource {
  private TextResource() {}

  /** All lines, those of comments left out. */
  static List<String> lines(String name) {
    try (BufferedReader reader =
        new BufferedReader(
            new InputStreamReader(
                TextResource.class.getResourceAsStream(name), StandardCharsets.UTF_8))) {
      return reader.lines().filter(line -> !line.startsWith("#")).toList();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /**
   * Lists by their names, from lines such as {@code name: one, two}.
   *
   * @param separator what stands between two elements, spaces aside
   */
  static Map<String, List<String>> lists(String name, String separator) {
    Map<String, List<String>> lists = new LinkedHashMap<>();
    for (String line : lines(name)) {
      if (!line.isBlank()) {
        String[] parts = line.split(": ", 2);
        lists.put(parts[0], Arrays.stream(parts[1].split(separator)).map(String::strip).toList());
      }
    }
    return lists;
  }
}
