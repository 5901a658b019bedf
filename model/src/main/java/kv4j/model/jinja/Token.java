package kv4j.model.jinja;

/**
 * A piece of a template.
 *
 * @param value a literal's value, a name, an operator, or plain text
 */
record Token(int line, Type type, Object value) {
  enum Type {
    DATA,
    BLOCK_BEGIN,
    BLOCK_END,
    VARIABLE_BEGIN,
    VARIABLE_END,
    NAME,
    STRING,
    INTEGER,
    FLOAT,
    OPERATOR,
    END
  }

  boolean is(Type other) {
    return type == other;
  }

  boolean isName(String name) {
    return type == Type.NAME && value.equals(name);
  }

  boolean isOperator(String operator) {
    return type == Type.OPERATOR && value.equals(operator);
  }

  /** As errors call it. */
  String description() {
    return switch (type) {
      case END -> "the end of the template";
      case BLOCK_END -> "the end of the statement";
      case VARIABLE_END -> "the end of the print statement";
      case BLOCK_BEGIN, VARIABLE_BEGIN, DATA -> "template text";
      default -> Printer.repr(Printer.str(value));
    };
  }
}
