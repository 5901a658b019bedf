package kv4j.model.jinja;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/** Tokens one after another, and what the parsers note while they read them. */
final class TokenStream {
  private static final int DEEPEST = 200;

  private final List<Token> tokens;
  private int at;
  private int depth;

  /** Whether a filter or test that there is not is an error only when it is reached. */
  private boolean lenient;

  /** The filters and tests that there are not. */
  private final List<JinjaException> unknown = new ArrayList<>();

  /** What the bodies of macros do to names, the innermost last. */
  private final List<Names> macros = new ArrayList<>();

  /** Names read before anything was assigned to them, and those assigned to before. */
  private record Names(Set<String> read, Set<String> assigned) {}

  TokenStream(List<Token> tokens) {
    this.tokens = tokens;
  }

  Token current() {
    return tokens.get(at);
  }

  Token look() {
    return tokens.get(Math.min(at + 1, tokens.size() - 1));
  }

  Token next() {
    Token token = current();
    at = Math.min(at + 1, tokens.size() - 1);
    return token;
  }

  boolean skipName(String name) {
    boolean there = current().isName(name);
    at += there ? 1 : 0;
    return there;
  }

  boolean skipOperator(String operator) {
    boolean there = current().isOperator(operator);
    at += there ? 1 : 0;
    return there;
  }

  void expectOperator(String operator) {
    if (!skipOperator(operator)) {
      throw unexpected("'" + operator + "'");
    }
  }

  void expectName(String name) {
    if (!skipName(name)) {
      throw unexpected("'" + name + "'");
    }
  }

  Token expect(Token.Type type, String description) {
    if (!current().is(type)) {
      throw unexpected(description);
    }
    return next();
  }

  String name() {
    return (String) expect(Token.Type.NAME, "a name").value();
  }

  JinjaException unexpected(String expected) {
    return fail("expected " + expected + ", got " + current().description());
  }

  JinjaException fail(String message) {
    return JinjaException.syntax(message, current().line());
  }

  void enter() {
    if (++depth > DEEPEST) {
      throw JinjaException.refused("it is nested more than " + DEEPEST + " deep")
          .at(current().line());
    }
  }

  void leave() {
    depth--;
  }

  /** Notes that there is no such filter or test. */
  void unknown(String message) {
    if (!lenient) {
      unknown.add(fail(message));
    }
  }

  int unknown() {
    return unknown.size();
  }

  /** Forgets what was unknown since there were so many. */
  void forgive(int size) {
    unknown.subList(size, unknown.size()).clear();
  }

  /**
   * @throws JinjaException if a filter or test is unknown and was not let through
   */
  void check() {
    if (!unknown.isEmpty()) {
      throw unknown.get(0);
    }
  }

  /** Changes whether unknown filters and tests are let through, and says what was before. */
  boolean lenient(boolean now) {
    boolean before = lenient;
    lenient = now;
    return before;
  }

  /** From here on, notes what the body of a macro does to names. */
  void beginMacro() {
    macros.add(new Names(new HashSet<>(), new HashSet<>()));
  }

  /** The names that the body read before it assigned to them. */
  Set<String> endMacro() {
    return macros.remove(macros.size() - 1).read();
  }

  void read(String name) {
    for (Names names : macros) {
      if (!names.assigned().contains(name)) {
        names.read().add(name);
      }
    }
  }

  void assign(String name) {
    macros.forEach(names -> names.assigned().add(name));
  }
}
