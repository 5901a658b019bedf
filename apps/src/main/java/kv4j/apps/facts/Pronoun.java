package kv4j.apps.facts;

/** What may stand for a name. */
record Pronoun(String subject, String possessive, String object) {
  static final Pronoun SHE = new Pronoun("she", "her", "her");
  static final Pronoun HE = new Pronoun("he", "his", "him");
  static final Pronoun IT = new Pronoun("it", "its", "it");
}
