package kv4j.apps.facts;

import java.util.function.Supplier;

/** Makes up names, and values of facts, that belong to one {@link Split}. */
final class Names {
  /** How many given names and towns are made of syllables, so that they can be any. */
  private static final double SYLLABLES = 0.3;

  private final Split split;
  private final Draw draw;

  Names(Split split, Draw draw) {
    this.split = split;
    this.draw = draw;
  }

  /** Somebody or something of a kind. */
  Entity entity(Kind kind) {
    return switch (kind) {
      case PERSON -> {
        boolean woman = draw.chance(0.5);
        yield new Entity(kind, own(() -> person(woman)), woman ? Pronoun.SHE : Pronoun.HE);
      }
      case PLACE -> thing(kind, () -> "the " + front() + " " + draw.word("kind of place"));
      case OBJECT -> thing(kind, () -> "the " + draw.word("quality") + " " + draw.word("thing"));
      case SERVICE -> thing(kind, this::service);
      case TOOL -> thing(kind, () -> "the tool " + draw.word("verb") + "_" + draw.word("noun"));
      case TICKET -> thing(kind, () -> "ticket " + draw.number(100, 9999));
    };
  }

  private Entity thing(Kind kind, Supplier<String> name) {
    return new Entity(kind, own(name), Pronoun.IT);
  }

  /** A value of a kind: one that is made up, or a word of the list of that name. */
  String value(String kind) {
    return switch (kind) {
      case "person" -> own(() -> person(draw.chance(0.5)));
      case "town" -> own(this::town);
      case "service" -> own(this::service);
      case "street" -> own(() -> front() + " " + draw.word("street"));
      case "file" ->
          own(() -> draw.word("noun") + "/" + Draw.capitalized(draw.word("noun")) + ".java");
      case "number" -> String.valueOf(draw.number(2, draw.chance(0.5) ? 99 : 999));
      case "code" -> String.valueOf(draw.number(1000, 9999));
      case "phone" -> "555-%04d".formatted(draw.number(0, 9999));
      case "time" -> "%d:%02d".formatted(draw.number(0, 23), 5 * draw.number(0, 11));
      case "date" -> draw.number(1, 28) + " " + draw.word("month");
      default -> draw.word(kind);
    };
  }

  /** The given name of a helper, who is not asked about. */
  String helper() {
    return given(draw.chance(0.5));
  }

  /** A town. */
  String town() {
    if (draw.chance(SYLLABLES)) {
      return syllables() + draw.word("end of town");
    }
    return draw.word("front") + draw.word("end of town");
  }

  private String own(Supplier<String> name) {
    String drawn = name.get();
    while (!split.has(drawn)) {
      drawn = name.get();
    }
    return drawn;
  }

  private String person(boolean woman) {
    return given(woman) + " " + draw.word("front") + draw.word("end of surname");
  }

  private String given(boolean woman) {
    if (draw.chance(SYLLABLES)) {
      return syllables() + (woman ? "a" : "o");
    }
    return draw.word(woman ? "woman" : "man");
  }

  /** Such as {@code Tovel}. */
  private String syllables() {
    StringBuilder name = new StringBuilder();
    for (int i = draw.number(1, 2); i > 0; i--) {
      name.append(draw.word("onset")).append(draw.word("vowel"));
    }
    return Draw.capitalized(name.append(draw.word("coda")).toString());
  }

  private String front() {
    return draw.chance(SYLLABLES) ? syllables() : draw.word("front") + draw.word("end of town");
  }

  private String service() {
    return "the service " + draw.word("first of service") + "-" + draw.word("second of service");
  }
}
