package kv4j.model.jinja;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.function.Supplier;

/** Reads a template's statements. */
final class Parser {
  private static final Set<String> SPECIAL = Set.of("caller", "varargs", "kwargs");
  private static final String NO_OTHERS = "a chat template cannot use other templates";

  private final TokenStream tokens;
  private final ExpressionParser expressions;
  private final Set<String> blocks = new HashSet<>();

  /** How many loops are around, up to the macro that is being parsed. */
  private int loops;

  /** The same, macros or not. */
  private int allLoops;

  private Parser(String source) {
    tokens = new TokenStream(Lexer.tokens(source));
    expressions = new ExpressionParser(tokens);
  }

  static List<Statement> parse(String source) {
    Parser parser = new Parser(source);
    List<Statement> statements = parser.until("");
    if (!parser.tokens.current().is(Token.Type.END)) {
      throw parser.tokens.fail("unexpected " + parser.tokens.current().description());
    }
    parser.tokens.check();
    return statements;
  }

  /** Statements up to the one with one of these names, which becomes the current token. */
  private List<Statement> until(String... ends) {
    tokens.enter();
    List<Statement> statements = new ArrayList<>();
    while (!tokens.current().is(Token.Type.END)) {
      Token token = tokens.next();
      if (token.is(Token.Type.DATA)) {
        statements.add(new Statement.Data(token.line(), (String) token.value()));
      } else if (token.is(Token.Type.VARIABLE_BEGIN)) {
        statements.add(new Statement.Print(token.line(), expressions.tupleOrExpression()));
        tokens.expect(Token.Type.VARIABLE_END, "the end of the print statement");
      } else {
        for (String end : ends) {
          if (tokens.current().isName(end)) {
            tokens.leave();
            return statements;
          }
        }
        statements.add(statement());
        tokens.expect(Token.Type.BLOCK_END, "the end of the statement");
      }
    }
    if (!ends[0].isEmpty()) {
      throw tokens.fail(
          "unexpected end of the template, '" + ends[ends.length - 1] + "' is missing");
    }
    tokens.leave();
    return statements;
  }

  /** The body of a statement up to its end, which is read too. */
  private List<Statement> body(String end) {
    beginBody();
    List<Statement> body = until(end);
    tokens.next();
    return body;
  }

  private void beginBody() {
    tokens.skipOperator(":");
    tokens.expect(Token.Type.BLOCK_END, "the end of the statement");
  }

  private Statement statement() {
    Token token = tokens.expect(Token.Type.NAME, "a statement");
    int line = token.line();
    String name = (String) token.value();
    return switch (name) {
      case "if" -> lenient(true, () -> ifStatement(line));
      case "for" -> lenient(false, () -> forStatement(line));
      case "set" -> set(line);
      case "macro" -> macro(line);
      case "call" -> callBlock(line);
      case "with" -> with(line);
      case "filter" -> lenient(false, () -> filterBlock(line));
      case "generation" -> generation(line);
      case "print" -> print(line);
      case "break", "continue" -> leave(line, name);
      case "block" -> block(line);
      case "autoescape" -> autoescape(line);
      case "include", "import", "from", "extends" -> others(line);
      default -> throw JinjaException.syntax("unknown statement " + Printer.repr(name), line);
    };
  }

  private <T> T lenient(boolean lenient, Supplier<T> parse) {
    boolean before = tokens.lenient(lenient);
    T parsed = parse.get();
    tokens.lenient(before);
    return parsed;
  }

  private <T> T outsideLoops(Supplier<T> parse) {
    int around = loops;
    loops = 0;
    T parsed = parse.get();
    loops = around;
    return parsed;
  }

  private Statement ifStatement(int line) {
    List<Statement.Branch> branches = new ArrayList<>();
    do {
      Expression test = expressions.tupleWithoutCondition(() -> false);
      beginBody();
      branches.add(new Statement.Branch(test, until("elif", "else", "endif")));
    } while (tokens.skipName("elif"));
    List<Statement> otherwise = tokens.skipName("else") ? body("endif") : endedBy("endif");
    return new Statement.If(line, branches, otherwise);
  }

  private List<Statement> endedBy(String end) {
    tokens.expectName(end);
    return List.of();
  }

  private Statement forStatement(int line) {
    allLoops++;
    Statement.Target target = target(() -> tokens.current().isName("in"), false);
    tokens.expectName("in");
    Expression items =
        expressions.tupleWithoutCondition(() -> tokens.current().isName("recursive"));
    Expression filter = tokens.skipName("if") ? expressions.expression() : null;
    boolean recursive = tokens.skipName("recursive");
    beginBody();
    loops++;
    List<Statement> body = until("else", "endfor");
    loops--;
    List<Statement> otherwise = tokens.skipName("else") ? body("endfor") : endedBy("endfor");
    allLoops--;
    return new Statement.For(line, target, items, filter, recursive, body, otherwise);
  }

  private Statement set(int line) {
    Statement.Target target = target(() -> false, true);
    if (tokens.skipOperator("=")) {
      return new Statement.Set(line, target, expressions.tupleOrExpression());
    }
    return lenient(
        false,
        () -> {
          List<Statement.BlockFilter> filters = new ArrayList<>();
          while (tokens.skipOperator("|")) {
            filters.add(expressions.filter());
          }
          return new Statement.SetBlock(line, target, filters, body("endset"));
        });
  }

  private Statement filterBlock(int line) {
    List<Statement.BlockFilter> filters = new ArrayList<>();
    do {
      filters.add(expressions.filter());
    } while (tokens.skipOperator("|"));
    return new Statement.FilterBlock(line, filters, body("endfilter"));
  }

  private Statement macro(int line) {
    String name = assignable();
    return macroLike(
        () -> {
          List<Expression> defaults = new ArrayList<>();
          List<String> parameters = parameters(defaults);
          Body body = macroBody("endmacro");
          Macro.Signature signature = signature(parameters, defaults, body);
          return new Statement.DefineMacro(line, name, signature, body.statements());
        });
  }

  private Statement callBlock(int line) {
    return macroLike(
        () -> {
          List<Expression> defaults = new ArrayList<>();
          List<String> parameters =
              tokens.current().isOperator("(") ? parameters(defaults) : List.of();
          if (!(expressions.expression() instanceof Expression.Call call)) {
            throw tokens.fail("expected a call");
          }
          Body body = macroBody("endcall");
          Macro.Signature signature = signature(parameters, defaults, body);
          return new Statement.CallBlock(line, signature, call, body.statements());
        });
  }

  private Statement generation(int line) {
    return macroLike(
        () -> {
          Body body = macroBody("endgeneration");
          Macro.Signature signature = signature(List.of(), List.of(), body);
          return new Statement.Generation(line, signature, body.statements());
        });
  }

  /** Parses what has a scope of its own, like a function. */
  private Statement macroLike(Supplier<Statement> parse) {
    return lenient(false, () -> outsideLoops(parse));
  }

  /** A macro's body and the names that it reads. */
  private record Body(List<Statement> statements, Set<String> names) {}

  private Body macroBody(String end) {
    tokens.beginMacro();
    List<Statement> statements = body(end);
    return new Body(statements, tokens.endMacro());
  }

  private Macro.Signature signature(List<String> parameters, List<Expression> defaults, Body body) {
    Set<String> special = new HashSet<>(body.names());
    special.retainAll(SPECIAL);
    int caller = parameters.indexOf("caller");
    if (special.contains("caller") && caller >= 0 && caller < parameters.size() - defaults.size()) {
      throw tokens.fail("the argument 'caller' must be omitted or be given a default");
    }
    return new Macro.Signature(parameters, defaults, special);
  }

  private List<String> parameters(List<Expression> defaults) {
    List<String> parameters = new ArrayList<>();
    tokens.expectOperator("(");
    while (!tokens.current().isOperator(")")) {
      if (!parameters.isEmpty()) {
        tokens.expectOperator(",");
      }
      String name = assignable();
      if (parameters.contains(name)) {
        throw tokens.fail("the argument '" + name + "' is repeated");
      }
      if (tokens.skipOperator("=")) {
        defaults.add(expressions.expression());
      } else if (!defaults.isEmpty()) {
        throw tokens.fail("non-default argument follows default argument");
      }
      parameters.add(name);
    }
    tokens.next();
    return parameters;
  }

  private Statement with(int line) {
    List<Statement.Assignment> assignments = new ArrayList<>();
    while (!tokens.current().is(Token.Type.BLOCK_END)) {
      if (!assignments.isEmpty()) {
        tokens.expectOperator(",");
      }
      Statement.Target target = target(() -> false, false);
      tokens.expectOperator("=");
      assignments.add(new Statement.Assignment(target, expressions.expression()));
    }
    return lenient(false, () -> new Statement.With(line, assignments, body("endwith")));
  }

  private Statement print(int line) {
    List<Expression> values = new ArrayList<>();
    while (!tokens.current().is(Token.Type.BLOCK_END)) {
      if (!values.isEmpty()) {
        tokens.expectOperator(",");
      }
      values.add(expressions.expression());
    }
    return new Statement.Print(line, new Expression.Concatenation(values));
  }

  private Statement leave(int line, String name) {
    if (loops == 0) {
      throw JinjaException.syntax("'" + name + "' outside of a loop", line);
    }
    return new Statement.Leave(
        line, name.equals("break") ? Statement.Flow.BREAK : Statement.Flow.CONTINUE);
  }

  private Statement block(int line) {
    String name = tokens.name();
    if (!blocks.add(name)) {
      throw tokens.fail("the block '" + name + "' is defined twice");
    }
    boolean scoped = tokens.skipName("scoped");
    tokens.skipName("required");
    List<Statement> body = lenient(false, () -> outsideLoops(() -> body("endblock")));
    tokens.skipName(name);
    return new Statement.Block(line, scoped, body);
  }

  private Statement autoescape(int line) {
    Expression escape = expressions.expression();
    List<Statement> body = lenient(false, () -> body("endautoescape"));
    Statement refused = new Statement.Refused(line, "autoescape is not supported");
    return new Statement.If(
        line,
        List.of(new Statement.Branch(escape, List.of(refused))),
        List.of(new Statement.With(line, List.of(), body)));
  }

  private Statement others(int line) {
    while (!tokens.current().is(Token.Type.BLOCK_END) && !tokens.current().is(Token.Type.END)) {
      tokens.next();
    }
    return new Statement.Refused(line, NO_OTHERS);
  }

  /** What a value is assigned to: a name, several, or a namespace's attribute. */
  private Statement.Target target(Supplier<Boolean> ends, boolean namespaces) {
    List<Statement.Target> targets = new ArrayList<>();
    boolean several = false;
    while (!ends.get()) {
      targets.add(oneTarget(namespaces));
      if (!tokens.skipOperator(",")) {
        break;
      }
      several = true;
      if (tokens.current().isOperator("=")
          || tokens.current().is(Token.Type.BLOCK_END)
          || tokens.current().isOperator(")")) {
        break;
      }
    }
    if (targets.isEmpty()) {
      throw tokens.unexpected("a name");
    }
    return several ? new Statement.Unpacked(targets) : targets.get(0);
  }

  private Statement.Target oneTarget(boolean namespaces) {
    if (tokens.skipOperator("(")) {
      Statement.Target inner = target(() -> tokens.current().isOperator(")"), namespaces);
      tokens.expectOperator(")");
      return inner;
    }
    if (namespaces && tokens.look().isOperator(".")) {
      String namespace = tokens.name();
      tokens.next();
      return new Statement.Member(namespace, tokens.name());
    }
    return new Statement.Variable(assignable());
  }

  private String assignable() {
    String name = tokens.name();
    if (Set.of("true", "false", "none", "True", "False", "None").contains(name)) {
      throw tokens.fail("cannot assign to '" + name + "'");
    }
    if (name.equals("loop") && allLoops > 0) {
      throw tokens.fail("cannot assign to the special variable 'loop' within a loop");
    }
    tokens.assign(name);
    return name;
  }
}
