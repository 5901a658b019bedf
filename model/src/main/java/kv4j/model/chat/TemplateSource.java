package kv4j.model.chat;

import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Rewrites a Jinja template so that the engine reads it as Jinja does. Where the two differ is
 * mostly whitespace: here it is settled by Jinja's rules (with {@code trim_blocks} and {@code
 * lstrip_blocks}, as Hugging Face's libraries set them), and what is left has no whitespace control
 * in it any more.
 */
final class TemplateSource {
  private static final Pattern OPENING = Pattern.compile("\\{[{%#]");
  private static final Pattern RAW = Pattern.compile("\\s*raw\\s*");
  private static final Pattern END_OF_RAW = Pattern.compile("\\{%[-+]?\\s*endraw\\s*[-+]?%}");

  private final String source;
  private final StringBuilder result = new StringBuilder();
  private int position;

  /** Whether the newline before {@code position} was taken by the block before it. */
  private boolean lineStarts = true;

  /** Whether whitespace at {@code position} is to go. */
  private boolean strips;

  private TemplateSource(String template) {
    String lines = template.replace("\r\n", "\n").replace('\r', '\n');
    source = lines.endsWith("\n") ? lines.substring(0, lines.length() - 1) : lines;
  }

  /**
   * The template for the engine.
   *
   * @throws IllegalArgumentException if the template is cut off, or needs what is not supported
   */
  static String rewrite(String template) {
    return new TemplateSource(template).rewrite();
  }

  private String rewrite() {
    Matcher opening = OPENING.matcher(source);
    while (opening.find(position)) {
      char kind = source.charAt(opening.start() + 1);
      char sign = opening.end() < source.length() ? source.charAt(opening.end()) : ' ';
      text(opening.start(), sign == '-', kind != '{' && sign != '+');
      boolean signed = sign == '-' || sign == '+';
      code(kind, opening.end() + (signed ? 1 : 0));
    }
    text(source.length(), false, false);
    return result.toString();
  }

  /** Adds the text up to where a block, an expression or a comment begins. */
  private void text(int to, boolean stripsEnd, boolean stripsIndent) {
    String text = source.substring(position, to);
    if (strips) {
      text = text.stripLeading();
    }
    if (stripsEnd) {
      text = text.stripTrailing();
    } else if (stripsIndent) {
      int line = text.lastIndexOf('\n') + 1;
      boolean atLineStart = line > 0 || lineStarts;
      if (atLineStart && text.substring(line).chars().allMatch(c -> c == ' ' || c == '\t')) {
        text = text.substring(0, line);
      }
    }
    result.append(text);
  }

  /** Adds a block or an expression, or leaves out a comment, and goes on behind it. */
  private void code(char kind, int from) {
    char closing = kind == '{' ? '}' : kind;
    int end = kind == '#' ? source.indexOf("#}", from) : end(from, closing);
    if (end < 0) {
      throw new IllegalArgumentException("the chat template ends within {" + kind);
    }
    char sign = end > from ? source.charAt(end - 1) : ' ';
    boolean signed = sign == '-' || sign == '+' && kind != '{';
    String code = source.substring(from, signed ? end - 1 : end);
    after(end + 2, sign, kind);
    if (kind == '%' && RAW.matcher(code).matches()) {
      raw();
    } else if (kind != '#') {
      result
          .append('{')
          .append(kind)
          .append(' ')
          .append(TemplateCode.rewrite(code.strip()))
          .append(' ');
      result.append(closing).append('}');
    }
  }

  private void after(int next, char sign, char kind) {
    position = next;
    strips = sign == '-';
    lineStarts = false;
    if (!strips && kind != '{' && sign != '+' && source.startsWith("\n", position)) {
      position++;
      lineStarts = true;
    }
  }

  /** Where code ends: not within a string, nor within braces of its own; or -1. */
  private int end(int from, char closing) {
    int braces = 0;
    for (int i = from; i < source.length(); i++) {
      char c = source.charAt(i);
      if (c == '\'' || c == '"') {
        i = endOfString(i);
      } else if (braces == 0 && c == closing && source.startsWith("}", i + 1)) {
        return i;
      } else if (c == '{') {
        braces++;
      } else if (c == '}') {
        braces--;
      }
    }
    return -1;
  }

  private int endOfString(int from) {
    char quote = source.charAt(from);
    int i = from + 1;
    while (i < source.length() && source.charAt(i) != quote) {
      i += source.charAt(i) == '\\' ? 2 : 1;
    }
    return i;
  }

  /** Adds what lies before {@code endraw}, in a form in which nothing is code. */
  private void raw() {
    Matcher end = END_OF_RAW.matcher(source);
    if (!end.find(position)) {
      throw new IllegalArgumentException("the chat template ends within raw");
    }
    int before = result.length();
    text(end.start(), source.charAt(end.start() + 2) == '-', true);
    String text = result.substring(before);
    result.setLength(before);
    result.append("{{ '");
    result.append(text.replace("\\", "\\\\").replace("'", "\\'").replace("\n", "\\n"));
    result.append("' }}");
    after(end.end(), source.charAt(end.end() - 3), '%');
  }
}
