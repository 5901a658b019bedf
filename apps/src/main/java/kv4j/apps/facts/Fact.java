package kv4j.apps.facts;

/** One thing that a page says. */
record Fact(Entity entity, Attribute attribute, String value) {
  /** A statement of it. */
  String statement(Draw draw) {
    return sentence(draw.from(attribute.statements()));
  }

  /** The answer to a question for it. */
  String answer() {
    return sentence(attribute.answer());
  }

  private String sentence(String template) {
    return Draw.capitalized(entity.in(template).replace("{value}", value));
  }
}
