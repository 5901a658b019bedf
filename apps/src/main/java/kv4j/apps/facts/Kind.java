package kv4j.apps.facts;

import java.util.Locale;

/** What a fact is about. */
enum Kind {
  PERSON,
  PLACE,
  OBJECT,
  SERVICE,
  TOOL,
  TICKET;

  static Kind named(String name) {
    return valueOf(name.toUpperCase(Locale.ROOT));
  }
}
