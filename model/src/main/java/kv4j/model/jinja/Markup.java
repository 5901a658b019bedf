package kv4j.model.jinja;

/**
 * A text marked as safe HTML, which {@code safe} and {@code escape} make. It escapes other texts
 * that are added to it or formatted into it, as markupsafe's does; else it is a text.
 */
record Markup(String text) implements TemplateObject {
  /** The value as HTML: markup as it is, anything else printed and escaped. */
  static Markup escape(Object value) {
    return value instanceof Markup markup ? markup : new Markup(escaped(Printer.str(value)));
  }

  static String escaped(String text) {
    return text.replace("&", "&amp;")
        .replace(">", "&gt;")
        .replace("<", "&lt;")
        .replace("'", "&#39;")
        .replace("\"", "&#34;");
  }

  @Override
  public String typeName() {
    return "Markup";
  }

  @Override
  public String repr() {
    return "Markup(" + Printer.repr(text) + ")";
  }

  @Override
  public boolean truth() {
    return !text.isEmpty();
  }
}
