package kv4j.model.jinja;

/** Jinja's {@code namespace}: the one value that a template can change, attribute by attribute. */
record Namespace(Dict attributes) implements TemplateObject {
  @Override
  public String typeName() {
    return "Namespace";
  }

  @Override
  public Object attribute(String name) {
    return attributes.get(name);
  }

  @Override
  public String repr() {
    return "<Namespace " + Printer.repr(attributes) + ">";
  }
}
