package kv4j.model.jinja;

/** What a template can call. */
@FunctionalInterface
interface Callable extends TemplateObject {
  Object call(Arguments arguments);

  @Override
  default String typeName() {
    return "function";
  }
}
