package kv4j.model.jinja;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** What has a value. */
sealed interface Expression {
  Object evaluate(Frame frame);

  record Constant(Object value) implements Expression {
    @Override
    public Object evaluate(Frame frame) {
      return value;
    }
  }

  record Name(String name) implements Expression {
    @Override
    public Object evaluate(Frame frame) {
      Budget.spend(1);
      return frame.get(name);
    }
  }

  record ListOf(List<Expression> items) implements Expression {
    @Override
    public Object evaluate(Frame frame) {
      return values(items, frame);
    }
  }

  record TupleOf(List<Expression> items) implements Expression {
    @Override
    public Object evaluate(Frame frame) {
      return new Tuple(values(items, frame));
    }
  }

  record Pair(Expression key, Expression value) {}

  record DictOf(List<Pair> pairs) implements Expression {
    @Override
    public Object evaluate(Frame frame) {
      Dict dict = new Dict();
      for (Pair pair : pairs) {
        Object key = pair.key().evaluate(frame);
        dict.put(key, pair.value().evaluate(frame));
      }
      return dict;
    }
  }

  record Attribute(Expression object, String name) implements Expression {
    @Override
    public Object evaluate(Frame frame) {
      Budget.spend(1);
      return Lookup.attribute(object.evaluate(frame), name);
    }
  }

  record Item(Expression object, Expression key) implements Expression {
    @Override
    public Object evaluate(Frame frame) {
      Budget.spend(1);
      Object value = object.evaluate(frame);
      return Lookup.item(value, key.evaluate(frame));
    }
  }

  /** Bounds that are left out are None. */
  record Slice(Expression object, Expression start, Expression stop, Expression step)
      implements Expression {
    @Override
    public Object evaluate(Frame frame) {
      Budget.spend(1);
      Object value = object.evaluate(frame);
      Object from = start.evaluate(frame);
      Object to = stop.evaluate(frame);
      return Lookup.slice(value, from, to, step.evaluate(frame));
    }
  }

  /**
   * The arguments of a call as the template gives them.
   *
   * @param rest what follows a {@code *}; null if nothing
   * @param restNamed what follows {@code **}; null if nothing
   */
  record Given(
      List<Expression> positional,
      Map<String, Expression> named,
      Expression rest,
      Expression restNamed) {
    static final Given NOTHING = new Given(List.of(), Map.of(), null, null);

    Arguments evaluate(Frame frame) {
      List<Object> values = values(positional, frame);
      Map<String, Object> names = new LinkedHashMap<>();
      named.forEach((name, value) -> names.put(name, value.evaluate(frame)));
      if (rest != null) {
        values.addAll(Values.list(rest.evaluate(frame)));
      }
      if (restNamed != null) {
        if (!(restNamed.evaluate(frame) instanceof Dict dict)) {
          throw JinjaException.failure("argument after ** must be a mapping");
        }
        for (Dict.Entry entry : dict.entries()) {
          if (Text.of(entry.key()) == null) {
            throw JinjaException.failure("keywords must be strings");
          }
          if (names.put(Text.of(entry.key()), entry.value()) != null) {
            throw JinjaException.failure(
                "got multiple values for keyword argument " + Printer.repr(entry.key()));
          }
        }
      }
      return new Arguments(values, names);
    }
  }

  record Call(Expression function, Given arguments) implements Expression {
    @Override
    public Object evaluate(Frame frame) {
      Object callee = function.evaluate(frame);
      return call(callee, arguments.evaluate(frame));
    }

    static Object call(Object callee, Arguments arguments) {
      Budget.spend(1);
      if (callee instanceof Callable callable) {
        return callable.call(arguments);
      }
      throw callee instanceof Undefined undefined
          ? undefined.failure()
          : JinjaException.failure("'" + Values.typeName(callee) + "' object is not callable");
    }
  }

  /** A filter; of the block of {@code filter} and {@code set}, the value is a constant. */
  record Filtered(Expression value, String filter, Given arguments) implements Expression {
    @Override
    public Object evaluate(Frame frame) {
      Budget.spend(1);
      Object filtered = value.evaluate(frame);
      return Filters.named(filter).apply(filtered, arguments.evaluate(frame));
    }
  }

  record Tested(Expression value, String test, Given arguments) implements Expression {
    @Override
    public Object evaluate(Frame frame) {
      Budget.spend(1);
      Object tested = value.evaluate(frame);
      return Tests.named(test).holds(tested, arguments.evaluate(frame));
    }
  }

  record Negation(Expression value) implements Expression {
    @Override
    public Object evaluate(Frame frame) {
      return !Values.truth(value.evaluate(frame));
    }
  }

  record Sign(boolean negative, Expression value) implements Expression {
    @Override
    public Object evaluate(Frame frame) {
      Object number = value.evaluate(frame);
      return negative ? Arithmetic.negate(number) : Arithmetic.plus(number);
    }
  }

  record Binary(String operator, Expression left, Expression right) implements Expression {
    @Override
    public Object evaluate(Frame frame) {
      Budget.spend(1);
      Object a = left.evaluate(frame);
      return Arithmetic.binary(operator, a, right.evaluate(frame));
    }
  }

  /** {@code and} or {@code or}: one of the operands. */
  record Logic(boolean and, Expression left, Expression right) implements Expression {
    @Override
    public Object evaluate(Frame frame) {
      Object a = left.evaluate(frame);
      return Values.truth(a) == and ? right.evaluate(frame) : a;
    }
  }

  record Concatenation(List<Expression> parts) implements Expression {
    @Override
    public Object evaluate(Frame frame) {
      StringBuilder text = new StringBuilder();
      for (Object part : values(parts, frame)) {
        String printed = Printer.str(part);
        Budget.spendText((long) text.length() + printed.length());
        text.append(printed);
      }
      return text.toString();
    }
  }

  record Comparison(String operator, Expression other) {}

  /** One or more comparisons in a chain, each with the value before it. */
  record Compared(Expression first, List<Comparison> comparisons) implements Expression {
    @Override
    public Object evaluate(Frame frame) {
      Object left = first.evaluate(frame);
      for (Comparison comparison : comparisons) {
        Object right = comparison.other().evaluate(frame);
        if (!holds(comparison.operator(), left, right)) {
          return false;
        }
        left = right;
      }
      return true;
    }

    private static boolean holds(String operator, Object a, Object b) {
      return switch (operator) {
        case "==" -> Values.equal(a, b);
        case "!=" -> !Values.equal(a, b);
        case "in" -> Values.contains(b, a);
        case "not in" -> !Values.contains(b, a);
        default -> Values.ordered(operator, a, b);
      };
    }
  }

  /**
   * @param otherwise null if there is no else
   */
  record Conditional(Expression test, Expression value, Expression otherwise)
      implements Expression {
    @Override
    public Object evaluate(Frame frame) {
      if (Values.truth(test.evaluate(frame))) {
        return value.evaluate(frame);
      }
      return otherwise != null
          ? otherwise.evaluate(frame)
          : new Undefined("the inline if-expression was false and has no else");
    }
  }

  private static List<Object> values(List<Expression> expressions, Frame frame) {
    List<Object> values = new ArrayList<>(expressions.size());
    for (Expression expression : expressions) {
      values.add(expression.evaluate(frame));
    }
    Budget.spend(values.size());
    return values;
  }
}
