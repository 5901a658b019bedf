package kv4j.model.jinja;

import java.math.BigInteger;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Cuts a template into tokens. White space goes as Hugging Face's settings have it: the first line
 * break after a statement or comment and blanks before one at the beginning of a line are dropped,
 * as is a line break at the very end.
 */
final class Lexer {
  private static final Pattern FLOAT =
      Pattern.compile(
          "(?<!\\.)(\\d+_)*\\d+((\\.(\\d+_)*\\d+)?[eE][+\\-]?(\\d+_)*\\d+|\\.(\\d+_)*\\d+)");
  private static final Pattern INTEGER =
      Pattern.compile("0[bB](_?[01])+|0[oO](_?[0-7])+|0[xX](_?[0-9a-fA-F])+|[1-9](_?\\d)*|0(_?0)*");
  private static final Pattern OPERATOR =
      Pattern.compile("//|\\*\\*|==|!=|>=|<=|[-+/*%~\\[\\](){}><=.:|,;]");
  private static final Pattern RAW_BEGIN = spaced("\\{%[-+]?~*raw~*(-%\\}~*|%\\})");
  private static final Pattern RAW_END = spaced("\\{%([-+]?)~*endraw~*(\\+%\\}|-%\\}~*|%\\}\\n?)");
  private static final Pattern TAG = Pattern.compile("\\{[%{#]");

  private final String source;
  private final List<Token> tokens = new ArrayList<>();
  private int at;
  private int line = 1;
  private boolean lineStarting = true;

  private Lexer(String source) {
    String lines = source.replace("\r\n", "\n").replace('\r', '\n');
    this.source = lines.endsWith("\n") ? lines.substring(0, lines.length() - 1) : lines;
  }

  /** A pattern in which {@code ~} stands for what Python holds to be white space. */
  private static Pattern spaced(String pattern) {
    return Pattern.compile(
        pattern.replace(
            "~",
            "[\\x09-\\x0d\\x1c-\\x20\\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000]"));
  }

  static List<Token> tokens(String source) {
    Lexer lexer = new Lexer(source);
    lexer.template();
    lexer.add(Token.Type.END, "");
    return lexer.tokens;
  }

  private void add(Token.Type type, Object value) {
    tokens.add(new Token(line, type, value));
  }

  /** Goes on to a place in the source. */
  private void advance(int to) {
    for (int i = at; i < to; i++) {
      line += source.charAt(i) == '\n' ? 1 : 0;
    }
    lineStarting = to > at ? source.charAt(to - 1) == '\n' : lineStarting;
    at = to;
  }

  private void template() {
    Matcher tag = TAG.matcher(source);
    while (at < source.length()) {
      if (!tag.find(at)) {
        add(Token.Type.DATA, source.substring(at));
        advance(source.length());
        return;
      }
      boolean variable = source.charAt(tag.start() + 1) == '{';
      int end = tag.end();
      char sign =
          end < source.length() && "-+".indexOf(source.charAt(end)) >= 0 ? source.charAt(end) : 0;
      data(source.substring(at, tag.start()), sign, variable);
      advance(tag.start());
      Matcher raw = RAW_BEGIN.matcher(source).region(at, source.length());
      if (raw.lookingAt()) {
        advance(raw.end());
        raw();
        continue;
      }
      advance(sign == 0 ? end : end + 1);
      switch (source.charAt(end - 1)) {
        case '#' -> comment();
        case '%' -> {
          add(Token.Type.BLOCK_BEGIN, "");
          code(Token.Type.BLOCK_END);
        }
        default -> {
          add(Token.Type.VARIABLE_BEGIN, "");
          code(Token.Type.VARIABLE_END);
        }
      }
    }
  }

  /** Text before a tag that begins with a sign of white space control, or 0. */
  private void data(String text, char sign, boolean variable) {
    String kept = text;
    if (sign == '-') {
      kept = Text.stripRight(text);
    } else if (sign != '+' && !variable) {
      int begin = text.lastIndexOf('\n') + 1;
      if ((begin > 0 || lineStarting) && Text.stripLeft(text.substring(begin)).isEmpty()) {
        kept = text.substring(0, begin);
      }
    }
    if (!kept.isEmpty()) {
      add(Token.Type.DATA, kept);
    }
  }

  private void raw() {
    Matcher end = RAW_END.matcher(source);
    if (!end.find(at)) {
      throw JinjaException.syntax("missing end of raw directive", line);
    }
    String sign = end.group(1);
    data(source.substring(at, end.start()), sign.isEmpty() ? 0 : sign.charAt(0), false);
    advance(end.end());
  }

  private void comment() {
    int end = source.indexOf("#}", at);
    if (end < 0) {
      throw JinjaException.syntax("missing end of comment tag", line);
    }
    char sign = end > at ? source.charAt(end - 1) : 0;
    advance(afterTag(end + 2, sign, true));
  }

  /** Where the text goes on after a tag that ends with a sign of white space control, or 0. */
  private int afterTag(int end, char sign, boolean trims) {
    int to = end;
    if (sign == '-') {
      while (to < source.length() && Text.isSpace(source.charAt(to))) {
        to++;
      }
    } else if (sign != '+' && trims && source.startsWith("\n", to)) {
      to++;
    }
    return to;
  }

  private void code(Token.Type end) {
    String close = end == Token.Type.BLOCK_END ? "%}" : "}}";
    Deque<Character> brackets = new ArrayDeque<>();
    while (at < source.length()) {
      char c = source.charAt(at);
      if (brackets.isEmpty()) {
        char sign = c == '-' || c == '+' && end == Token.Type.BLOCK_END ? c : 0;
        int mark = sign == 0 ? at : at + 1;
        if (source.startsWith(close, mark)) {
          add(end, "");
          advance(afterTag(mark + 2, sign, end == Token.Type.BLOCK_END));
          return;
        }
      }
      if (Text.isSpace(c)) {
        advance(at + 1);
      } else {
        token(c, brackets);
      }
    }
  }

  private void token(char c, Deque<Character> brackets) {
    Matcher number = FLOAT.matcher(source).region(at, source.length()).useTransparentBounds(true);
    Matcher operator = OPERATOR.matcher(source).region(at, source.length());
    if (number.lookingAt()) {
      add(Token.Type.FLOAT, Double.valueOf(number.group().replace("_", "")));
      advance(number.end());
    } else if (number.usePattern(INTEGER).lookingAt()) {
      add(Token.Type.INTEGER, integer(number.group().replace("_", "")));
      advance(number.end());
    } else if (StringMethods.isWord(source.codePointAt(at))) {
      int end = at;
      while (end < source.length() && isNamePart(source.codePointAt(end))) {
        end += Character.charCount(source.codePointAt(end));
      }
      String name = source.substring(at, end);
      if (!StringMethods.isIdentifier(name)) {
        throw JinjaException.syntax("invalid character in the name " + Printer.repr(name), line);
      }
      add(Token.Type.NAME, name);
      advance(end);
    } else if (c == '"' || c == '\'') {
      string(c);
    } else if (operator.lookingAt()) {
      balance(c, brackets);
      add(Token.Type.OPERATOR, operator.group());
      advance(operator.end());
    } else {
      throw JinjaException.syntax(
          "unexpected character " + Printer.repr(Character.toString(source.codePointAt(at))), line);
    }
  }

  private static boolean isNamePart(int point) {
    return StringMethods.isWord(point) || Character.isUnicodeIdentifierPart(point) && point > 0x7f;
  }

  private void balance(char c, Deque<Character> brackets) {
    int opening = "([{".indexOf(c);
    if (opening >= 0) {
      brackets.push(")]}".charAt(opening));
    } else if (")]}".indexOf(c) >= 0) {
      if (brackets.isEmpty()) {
        throw JinjaException.syntax("unexpected '" + c + "'", line);
      }
      char expected = brackets.pop();
      if (expected != c) {
        throw JinjaException.syntax("unexpected '" + c + "', expected '" + expected + "'", line);
      }
    }
  }

  private static BigInteger integer(String digits) {
    String prefix =
        digits.length() > 2 ? digits.substring(0, 2).toLowerCase(java.util.Locale.ROOT) : "";
    return switch (prefix) {
      case "0b" -> new BigInteger(digits.substring(2), 2);
      case "0o" -> new BigInteger(digits.substring(2), 8);
      case "0x" -> new BigInteger(digits.substring(2), 16);
      default -> new BigInteger(digits);
    };
  }

  private void string(char quote) {
    int end = at + 1;
    while (end < source.length() && source.charAt(end) != quote) {
      end += source.charAt(end) == '\\' ? 2 : 1;
    }
    if (end >= source.length()) {
      throw JinjaException.syntax("unexpected character " + Printer.repr("" + quote), line);
    }
    add(Token.Type.STRING, unescaped(source.substring(at + 1, end)));
    advance(end + 1);
  }

  private String unescaped(String text) {
    if (text.indexOf('\\') < 0) {
      return text;
    }
    StringBuilder out = new StringBuilder();
    int i = 0;
    while (i < text.length()) {
      char c = text.charAt(i++);
      if (c != '\\') {
        out.append(c);
        continue;
      }
      char kind = text.charAt(i);
      int simple = "\\'\"abfnrtv".indexOf(kind);
      if (simple >= 0) {
        out.append("\\'\"\u0007\b\f\n\r\t\u000b".charAt(simple));
        i++;
      } else if (kind == '\n') {
        i++;
      } else if (kind >= '0' && kind <= '7') {
        int end = i;
        while (end < text.length()
            && end < i + 3
            && text.charAt(end) >= '0'
            && text.charAt(end) <= '7') {
          end++;
        }
        out.append((char) Integer.parseInt(text.substring(i, end), 8));
        i = end;
      } else if ("xuU".indexOf(kind) >= 0) {
        int digits = kind == 'x' ? 2 : kind == 'u' ? 4 : 8;
        out.appendCodePoint(hexadecimal(text, i + 1, digits));
        i += 1 + digits;
      } else if (kind == 'N') {
        int end = text.indexOf('}', i);
        out.appendCodePoint(named(text, i, end));
        i = end + 1;
      } else if (kind > 0x7f) {
        // Python reads the backslash of the escape that it has made of this character.
        int point = text.codePointAt(i);
        out.append(Printer.escape(point));
        i += Character.charCount(point);
      } else {
        out.append('\\');
      }
    }
    return out.toString();
  }

  private int hexadecimal(String text, int from, int digits) {
    int end = from + digits;
    if (end > text.length()
        || text.substring(from, end).chars().anyMatch(c -> Character.digit(c, 16) < 0 || c > 'f')) {
      throw JinjaException.syntax("truncated escape of " + digits + " hexadecimal digits", line);
    }
    long point = Long.parseLong(text.substring(from, end), 16);
    if (point > Character.MAX_CODE_POINT) {
      throw JinjaException.syntax("illegal Unicode character", line);
    }
    return (int) point;
  }

  private int named(String text, int from, int end) {
    try {
      if (text.startsWith("{", from + 1) && end > 0) {
        return Character.codePointOf(text.substring(from + 2, end));
      }
    } catch (IllegalArgumentException e) {
      // Told below.
    }
    throw JinjaException.syntax("unknown Unicode character name", line);
  }
}
