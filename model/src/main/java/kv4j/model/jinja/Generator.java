package kv4j.model.jinja;

import java.util.Iterator;

/** What can be gone through once: the answer of filters such as {@code map} and {@code select}. */
record Generator(Iterator<Object> iterator) implements TemplateObject {
  @Override
  public String typeName() {
    return "generator";
  }
}
