package kv4j.apps.facts;

import java.util.ArrayList;
import java.util.List;

/**
 * What can be said about all of a kind, in templates.
 *
 * @param name tells it from the kind's others
 * @param value the kind of value, for {@link Names#value}
 * @param statements how a page says it
 * @param questions how one asks for it
 * @param phrase what it is, in few words
 * @param answer the sentence that answers each question
 */
record Attribute(
    Kind kind,
    String name,
    String value,
    List<String> statements,
    List<String> questions,
    String phrase,
    String answer) {

  /** All there are, as the resource {@code facts.txt} has them. */
  static final List<Attribute> ALL = read();

  /** All of a kind. */
  static List<Attribute> of(Kind kind) {
    return ALL.stream().filter(attribute -> attribute.kind == kind).toList();
  }

  private static List<Attribute> read() {
    List<Attribute> all = new ArrayList<>();
    for (String paragraph : String.join("\n", TextResource.lines("facts.txt")).split("\n\n+")) {
      List<String> lines = paragraph.strip().lines().toList();
      String[] head = lines.get(0).split(" ", 3);
      all.add(
          new Attribute(
              Kind.named(head[0]),
              head[1],
              head[2],
              marked("- ", lines),
              marked("? ", lines),
              marked("+ ", lines).get(0),
              marked("= ", lines).get(0)));
    }
    return List.copyOf(all);
  }

  private static List<String> marked(String mark, List<String> lines) {
    return lines.stream()
        .filter(line -> line.startsWith(mark))
        .map(line -> line.substring(mark.length()))
        .toList();
  }
}
