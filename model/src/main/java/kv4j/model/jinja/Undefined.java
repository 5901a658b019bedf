package kv4j.model.jinja;

/**
 * A name, key or attribute that is not there. It prints as nothing, is false and empty, and equals
 * other undefined values; all else that is done with it is an error.
 *
 * @param message what that error says
 */
record Undefined(String message) implements TemplateObject {
  static Undefined name(String name) {
    return new Undefined(Printer.repr(name) + " is undefined");
  }

  /** What {@code object[key]} or {@code object.key} is, if there is no such thing. */
  static Undefined of(Object object, Object key) {
    String owner =
        object == null
            ? "None"
            : Values.typeName(object) + " object"; // Python names modules too; these are built in
    return new Undefined(
        key instanceof String
            ? "'" + owner + "' has no attribute " + Printer.repr(key)
            : owner + " has no element " + Printer.repr(key));
  }

  static Undefined unsafe(Object object, String attribute) {
    return new Undefined(
        "access to attribute "
            + Printer.repr(attribute)
            + " of '"
            + Values.typeName(object)
            + "' object is unsafe");
  }

  JinjaException failure() {
    return JinjaException.failure(message);
  }

  @Override
  public String typeName() {
    return "Undefined";
  }

  @Override
  public String repr() {
    return "Undefined";
  }

  @Override
  public boolean truth() {
    return false;
  }
}
