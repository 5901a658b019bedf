package kv4j.model.jinja;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.BooleanSupplier;

/** Reads expressions, with the precedence that Jinja gives operators, filters and tests. */
final class ExpressionParser {
  private static final Expression NONE = new Expression.Constant(null);
  private static final Set<String> COMPARISONS = Set.of("==", "!=", "<", "<=", ">", ">=");
  private static final Set<String> PRODUCTS = Set.of("*", "/", "//", "%");

  private final TokenStream tokens;

  ExpressionParser(TokenStream tokens) {
    this.tokens = tokens;
  }

  /** An expression, or a tuple without parentheses. */
  Expression tupleOrExpression() {
    return tuple(true, false, () -> false);
  }

  /** The same, but {@code if} is not part of it. */
  Expression tupleWithoutCondition(BooleanSupplier ends) {
    return tuple(false, false, ends);
  }

  private Expression tuple(boolean conditions, boolean parenthesized, BooleanSupplier ends) {
    List<Expression> items = new ArrayList<>();
    boolean isTuple = false;
    while (!endsTuple() && !ends.getAsBoolean()) {
      items.add(conditions ? expression() : or());
      if (!tokens.current().isOperator(",")) {
        break;
      }
      isTuple = true;
      tokens.next();
    }
    if (isTuple || items.isEmpty() && parenthesized) {
      return new Expression.TupleOf(items);
    }
    if (items.isEmpty()) {
      throw tokens.unexpected("an expression");
    }
    return items.get(0);
  }

  private boolean endsTuple() {
    Token token = tokens.current();
    return token.is(Token.Type.VARIABLE_END)
        || token.is(Token.Type.BLOCK_END)
        || token.isOperator(")");
  }

  Expression expression() {
    tokens.enter();
    int unknown = tokens.unknown();
    Expression value = or();
    while (tokens.skipName("if")) {
      tokens.forgive(unknown);
      boolean before = tokens.lenient(true);
      Expression test = or();
      Expression otherwise = tokens.skipName("else") ? expression() : null;
      tokens.lenient(before);
      value = new Expression.Conditional(test, value, otherwise);
    }
    tokens.leave();
    return value;
  }

  private Expression or() {
    Expression left = and();
    while (tokens.skipName("or")) {
      left = new Expression.Logic(false, left, and());
    }
    return left;
  }

  private Expression and() {
    Expression left = not();
    while (tokens.skipName("and")) {
      left = new Expression.Logic(true, left, not());
    }
    return left;
  }

  private Expression not() {
    if (!tokens.skipName("not")) {
      return comparison();
    }
    tokens.enter();
    Expression value = new Expression.Negation(not());
    tokens.leave();
    return value;
  }

  private Expression comparison() {
    Expression first = sum();
    List<Expression.Comparison> comparisons = new ArrayList<>();
    while (true) {
      Token token = tokens.current();
      String operator;
      if (token.is(Token.Type.OPERATOR) && COMPARISONS.contains(token.value())) {
        operator = (String) tokens.next().value();
      } else if (tokens.skipName("in")) {
        operator = "in";
      } else if (token.isName("not") && tokens.look().isName("in")) {
        tokens.next();
        tokens.next();
        operator = "not in";
      } else {
        return comparisons.isEmpty() ? first : new Expression.Compared(first, comparisons);
      }
      comparisons.add(new Expression.Comparison(operator, sum()));
    }
  }

  private Expression sum() {
    Expression left = concatenation();
    while (tokens.current().isOperator("+") || tokens.current().isOperator("-")) {
      String operator = (String) tokens.next().value();
      left = new Expression.Binary(operator, left, concatenation());
    }
    return left;
  }

  private Expression concatenation() {
    List<Expression> parts = new ArrayList<>();
    do {
      parts.add(product());
    } while (tokens.skipOperator("~"));
    return parts.size() == 1 ? parts.get(0) : new Expression.Concatenation(parts);
  }

  private Expression product() {
    Expression left = power();
    while (tokens.current().is(Token.Type.OPERATOR)
        && PRODUCTS.contains(tokens.current().value())) {
      String operator = (String) tokens.next().value();
      left = new Expression.Binary(operator, left, power());
    }
    return left;
  }

  private Expression power() {
    Expression left = unary(true);
    while (tokens.skipOperator("**")) {
      left = new Expression.Binary("**", left, unary(true));
    }
    return left;
  }

  private Expression unary(boolean filters) {
    tokens.enter();
    Expression value;
    if (tokens.skipOperator("-")) {
      value = new Expression.Sign(true, unary(false));
    } else if (tokens.skipOperator("+")) {
      value = new Expression.Sign(false, unary(false));
    } else {
      value = primary();
    }
    value = postfix(value);
    value = filters ? filtersAndTests(value) : value;
    tokens.leave();
    return value;
  }

  private Expression primary() {
    Token token = tokens.current();
    switch (token.type()) {
      case NAME -> {
        tokens.next();
        String name = (String) token.value();
        return switch (name) {
          case "true", "True" -> new Expression.Constant(true);
          case "false", "False" -> new Expression.Constant(false);
          case "none", "None" -> NONE;
          default -> {
            tokens.read(name);
            yield new Expression.Name(name);
          }
        };
      }
      case STRING -> {
        StringBuilder text = new StringBuilder();
        while (tokens.current().is(Token.Type.STRING)) {
          text.append(tokens.next().value());
        }
        return new Expression.Constant(text.toString());
      }
      case INTEGER, FLOAT -> {
        return new Expression.Constant(tokens.next().value());
      }
      default -> {
        if (tokens.skipOperator("(")) {
          Expression value = tuple(true, true, () -> false);
          tokens.expectOperator(")");
          return value;
        }
        if (tokens.skipOperator("[")) {
          return list();
        }
        if (tokens.skipOperator("{")) {
          return dict();
        }
        throw tokens.fail("unexpected " + token.description());
      }
    }
  }

  private Expression list() {
    List<Expression> items = new ArrayList<>();
    while (!tokens.current().isOperator("]")) {
      items.add(expression());
      if (!tokens.current().isOperator("]")) {
        tokens.expectOperator(",");
      }
    }
    tokens.next();
    return new Expression.ListOf(items);
  }

  private Expression dict() {
    List<Expression.Pair> pairs = new ArrayList<>();
    while (!tokens.current().isOperator("}")) {
      Expression key = expression();
      tokens.expectOperator(":");
      pairs.add(new Expression.Pair(key, expression()));
      if (!tokens.current().isOperator("}")) {
        tokens.expectOperator(",");
      }
    }
    tokens.next();
    return new Expression.DictOf(pairs);
  }

  private Expression postfix(Expression of) {
    Expression value = of;
    while (true) {
      if (tokens.skipOperator(".")) {
        value = member(value);
      } else if (tokens.skipOperator("[")) {
        value = subscript(value);
      } else if (tokens.current().isOperator("(")) {
        value = new Expression.Call(value, arguments());
      } else {
        return value;
      }
    }
  }

  private Expression member(Expression object) {
    if (tokens.current().is(Token.Type.INTEGER)) {
      return new Expression.Item(object, new Expression.Constant(tokens.next().value()));
    }
    return new Expression.Attribute(object, tokens.name());
  }

  private Expression subscript(Expression object) {
    List<Expression> keys = new ArrayList<>();
    while (!tokens.current().isOperator("]")) {
      if (!keys.isEmpty()) {
        tokens.expectOperator(",");
      }
      Expression start = tokens.current().isOperator(":") ? NONE : expression();
      if (tokens.skipOperator(":")) {
        Expression stop = bound();
        Expression step = tokens.skipOperator(":") ? bound() : NONE;
        if (!keys.isEmpty() || !tokens.skipOperator("]")) {
          throw tokens.fail("a slice among several keys is not supported");
        }
        return new Expression.Slice(object, start, stop, step);
      }
      keys.add(start);
    }
    tokens.next();
    Expression key = keys.size() == 1 ? keys.get(0) : new Expression.TupleOf(keys);
    return new Expression.Item(object, key);
  }

  private Expression bound() {
    Token token = tokens.current();
    return token.isOperator(":") || token.isOperator("]") || token.isOperator(",")
        ? NONE
        : expression();
  }

  /** The arguments of a call, from its opening parenthesis to its closing one. */
  private Expression.Given arguments() {
    tokens.expectOperator("(");
    List<Expression> positional = new ArrayList<>();
    Map<String, Expression> named = new LinkedHashMap<>();
    Expression rest = null;
    Expression restNamed = null;
    while (!tokens.current().isOperator(")")) {
      boolean last = restNamed != null;
      if (tokens.skipOperator("*")) {
        last |= rest != null;
        rest = expression();
      } else if (tokens.skipOperator("**")) {
        restNamed = expression();
      } else if (tokens.current().is(Token.Type.NAME) && tokens.look().isOperator("=")) {
        String name = tokens.name();
        tokens.next();
        if (named.put(name, expression()) != null) {
          throw tokens.fail("the keyword argument '" + name + "' is repeated");
        }
      } else {
        last |= rest != null || !named.isEmpty();
        positional.add(expression());
      }
      if (last) {
        throw tokens.fail("invalid syntax for function call expression");
      }
      if (!tokens.current().isOperator(")")) {
        tokens.expectOperator(",");
      }
    }
    tokens.next();
    return new Expression.Given(positional, named, rest, restNamed);
  }

  private Expression filtersAndTests(Expression of) {
    Expression value = of;
    while (true) {
      if (tokens.skipOperator("|")) {
        Statement.BlockFilter filter = filter();
        value = new Expression.Filtered(value, filter.name(), filter.arguments());
      } else if (tokens.skipName("is")) {
        value = test(value);
      } else if (tokens.current().isOperator("(")) {
        value = new Expression.Call(value, arguments());
      } else {
        return value;
      }
    }
  }

  /** A filter's name and arguments, after the bar. */
  Statement.BlockFilter filter() {
    String name = dotted();
    if (!Filters.exists(name)) {
      tokens.unknown(Filters.unknown(name));
    }
    return new Statement.BlockFilter(name, optionalArguments());
  }

  private Expression.Given optionalArguments() {
    return tokens.current().isOperator("(") ? arguments() : Expression.Given.NOTHING;
  }

  private String dotted() {
    StringBuilder name = new StringBuilder(tokens.name());
    while (tokens.skipOperator(".")) {
      name.append('.').append(tokens.name());
    }
    return name.toString();
  }

  private Expression test(Expression value) {
    boolean negated = tokens.skipName("not");
    String name = dotted();
    if (!Tests.exists(name)) {
      tokens.unknown(Tests.unknown(name));
    }
    Token token = tokens.current();
    Expression.Given arguments = Expression.Given.NOTHING;
    if (token.isOperator("(")) {
      arguments = arguments();
    } else if (beginsArgument(token)) {
      if (token.isName("is")) {
        throw tokens.fail("you cannot chain multiple tests with is");
      }
      arguments = new Expression.Given(List.of(postfix(primary())), Map.of(), null, null);
    }
    Expression test = new Expression.Tested(value, name, arguments);
    return negated ? new Expression.Negation(test) : test;
  }

  private static boolean beginsArgument(Token token) {
    return switch (token.type()) {
      case NAME -> !token.isName("else") && !token.isName("or") && !token.isName("and");
      case STRING, INTEGER, FLOAT -> true;
      default -> token.isOperator("[") || token.isOperator("{");
    };
  }
}
