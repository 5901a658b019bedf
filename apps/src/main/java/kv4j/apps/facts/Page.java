package kv4j.apps.facts;

import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * A page of facts, which is the system prompt of conversations about it.
 *
 * @param text with rules and such between the facts
 * @param facts in the order of the text
 * @param split what its names belong to
 */
record Page(String text, List<Fact> facts, Split split) {
  private static final int MOST_ATTRIBUTES = 4;
  private static final double SHUFFLED = 0.6;
  private static final double PERSON_ON_PAGE = 0.3;
  private static final int LONGEST_PARAGRAPH = 8; // sentences

  /** No page at all. */
  static Page empty(Split split) {
    return new Page("", List.of(), split);
  }

  /**
   * Makes up a page.
   *
   * @param facts how many it has
   * @param others how many sentences about other things are between them
   */
  static Page of(int facts, int others, Split split, Draw draw) {
    Names names = new Names(split, draw);
    List<Fact> all = new ArrayList<>(facts);
    Map<String, Entity> entities = new LinkedHashMap<>();
    while (all.size() < facts) {
      Entity entity = names.entity(draw.from(List.of(Kind.values())));
      if (entities.putIfAbsent(entity.name(), entity) != null) {
        continue;
      }
      List<Attribute> attributes = new ArrayList<>(Attribute.of(entity.kind()));
      draw.shuffle(attributes);
      int most = Math.min(draw.number(1, MOST_ATTRIBUTES), facts - all.size());
      for (Attribute attribute : attributes.subList(0, most)) {
        all.add(new Fact(entity, attribute, value(attribute, names, entities, draw)));
      }
    }
    if (draw.chance(SHUFFLED)) {
      draw.shuffle(all);
    }
    return new Page(text(all, others, names, draw), List.copyOf(all), split);
  }

  /** People on the page are as good as new ones. */
  private static String value(
      Attribute attribute, Names names, Map<String, Entity> entities, Draw draw) {
    if (attribute.value().equals("person") && draw.chance(PERSON_ON_PAGE)) {
      List<String> people =
          entities.values().stream()
              .filter(entity -> entity.kind() == Kind.PERSON)
              .map(Entity::name)
              .toList();
      if (people.size() > 1) {
        return people.get(draw.number(0, people.size() - 2));
      }
    }
    return names.value(attribute.value());
  }

  private static String text(List<Fact> facts, int others, Names names, Draw draw) {
    List<String> paragraphs = new ArrayList<>();
    String opening = draw.phrase("opening").replace("{Helper}", names.helper());
    paragraphs.add(opening.replace("{Town}", names.town()) + " " + draw.phrase("duty"));
    List<String> rules = new ArrayList<>();
    for (int i = 0; i < others; i++) {
      rules.add(draw.phrase("rule"));
    }
    List<String> sentences = new ArrayList<>();
    facts.forEach(fact -> sentences.add(fact.statement(draw)));
    if (draw.chance(0.5)) { // rules among the facts
      for (String rule : rules) {
        sentences.add(draw.number(0, sentences.size()), rule);
      }
      rules.clear();
    }
    List<String> knowledge = paragraphs(draw.phrase("heading"), sentences, draw);
    List<String> behavior = paragraphs(draw.phrase("rules heading"), rules, draw);
    boolean rulesFirst = draw.chance(0.5);
    paragraphs.addAll(rulesFirst ? behavior : knowledge);
    paragraphs.addAll(rulesFirst ? knowledge : behavior);
    return String.join("\n", paragraphs);
  }

  private static List<String> paragraphs(String heading, List<String> sentences, Draw draw) {
    List<String> paragraphs = new ArrayList<>();
    for (int from = 0; from < sentences.size(); ) {
      int to = Math.min(sentences.size(), from + draw.number(1, LONGEST_PARAGRAPH));
      String text = String.join(" ", sentences.subList(from, to));
      paragraphs.add(from == 0 ? heading + " " + text : text);
      from = to;
    }
    return paragraphs;
  }

  /** All that facts are about. */
  Collection<Entity> entities() {
    Map<String, Entity> entities = new LinkedHashMap<>();
    facts.forEach(fact -> entities.put(fact.entity().name(), fact.entity()));
    return entities.values();
  }

  /** The answer to a question for something about somebody. */
  String answer(Entity entity, Attribute attribute) {
    return facts.stream()
        .filter(fact -> fact.attribute() == attribute && fact.entity().equals(entity))
        .findFirst()
        .map(Fact::answer)
        .orElse(Turn.UNKNOWN);
  }
}
