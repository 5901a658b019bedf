package kv4j.model.jinja;

/** A value of Jinja's or Python's own that is no text, number, list or dict. */
interface TemplateObject {
  /** Its type's name in Python. */
  String typeName();

  /** One of its attributes, or {@link Lookup#ABSENT}. */
  default Object attribute(String name) {
    return Lookup.ABSENT;
  }

  /** What Python's {@code repr} says of it. */
  default String repr() {
    throw JinjaException.refused(
        "it prints a " + typeName() + ", which is different in every run of Python");
  }

  default boolean truth() {
    return true;
  }
}
