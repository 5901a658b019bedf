package kv4j.model.jinja;

/** Makes a value of another: what follows a bar in a template. */
@FunctionalInterface
interface Filter {
  Object apply(Object value, Arguments arguments);
}
