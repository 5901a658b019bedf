package kv4j.apps.facts;

/**
 * Somebody or something that facts are about.
 *
 * @param name as it stands within a sentence, such as {@code the copper lantern}
 */
record Entity(Kind kind, String name, Pronoun pronoun) {
  /** A sentence of a template, about this by name. */
  String in(String template) {
    return fill(template, name, name + "'s", name);
  }

  /** A sentence of a template, about this by a pronoun. */
  String asPronounIn(String template) {
    return fill(template, pronoun.subject(), pronoun.possessive(), pronoun.object());
  }

  private static String fill(String template, String subject, String possessive, String object) {
    return template
        .replace("{name}", subject)
        .replace("{name's}", possessive)
        .replace("{name*}", object);
  }
}
