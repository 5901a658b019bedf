package kv4j.apps.facts;

import java.util.List;

/** What is said without a page: greetings, and stories of a few sentences. */
final class SmallTalk {
  private static final List<String> TOPICS = List.of("hello", "thanks", "who", "bye");

  private SmallTalk() {}

  static Turn turn(Draw draw) {
    return draw.chance(0.3) ? story(draw) : polite(draw);
  }

  private static Turn polite(Draw draw) {
    String topic = draw.from(TOPICS);
    return turn(draw.phrase(topic), draw.phrase(topic + " answer"));
  }

  /** A story, about an animal if one is asked for. */
  static Turn story(Draw draw) {
    String animal = draw.word("animal");
    String question =
        draw.chance(0.7)
            ? draw.phrase("story about").replace("{Hero}", animal)
            : draw.phrase("story");
    return turn(question, tell(animal, draw));
  }

  private static Turn turn(String question, String answer) {
    return new Turn(Turn.Form.SMALL_TALK, question, answer);
  }

  private static String tell(String animal, Draw draw) {
    boolean woman = draw.chance(0.5);
    String place = draw.word("landmark");
    String treasure = draw.word("treasure");
    String friend = draw.word("animal");
    String text =
        draw.filled("Once there was a {mood} HERO called NAME, who lived by the PLACE. ")
            + draw.filled(
                draw.from(
                    List.of(
                        "On a {weather} morning SHE found a TREASURE in the grass. ",
                        "One {weather} day SHE lost HER TREASURE in the {landmark}. ",
                        "One {weather} evening a {mood} FRIEND came to the PLACE and asked for a TREASURE. ",
                        "Every {weather} day SHE looked for a TREASURE near the {landmark}. ")))
            + draw.filled(
                draw.from(
                    List.of(
                        "A {mood} FRIEND saw it and began to cry. So NAME gave the TREASURE away, and they were friends. ",
                        "NAME asked a {mood} FRIEND, and together they looked until it was dark. ",
                        "\"Let us share,\" said NAME, and the FRIEND smiled. ",
                        "It was hard, but NAME did not give up. ")))
            + draw.from(
                List.of(
                    "From then on nobody at the PLACE was ever alone.",
                    "That night NAME slept well.",
                    "And the TREASURE is still there today.",
                    "They laughed all the way home."));
    return text.replace("HERO", animal)
        .replace("NAME", draw.word(woman ? "woman" : "man"))
        .replace("PLACE", place)
        .replace("TREASURE", treasure)
        .replace("FRIEND", friend)
        .replace("SHE", woman ? "she" : "he")
        .replace("HER", woman ? "her" : "his")
        .replaceAll("\\b([Aa]) (?=[aeiou])", "$1n ");
  }
}
