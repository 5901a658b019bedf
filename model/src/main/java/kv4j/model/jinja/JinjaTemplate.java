package kv4j.model.jinja;

import java.time.Clock;
import java.util.List;
import java.util.Map;

/**
 * A Jinja template as Hugging Face's libraries run chat templates: the language of Python's jinja2
 * 3.1 in its immutable sandbox, with {@code trim_blocks}, {@code lstrip_blocks}, loop controls,
 * {@code generation}, {@code tojson}, {@code raise_exception} and {@code strftime_now}; {@code
 * from_json} besides.
 *
 * <p>A template can reach the values it is given and nothing else. What it may use of time and
 * memory is limited. Left out are other templates (include, import, extends), autoescape, complex
 * numbers, bytes, and the filters pprint, random, striptags, urlize and wordwrap; these are
 * refused.
 */
public final class JinjaTemplate {
  private final List<Statement> statements;

  private JinjaTemplate(List<Statement> statements) {
    this.statements = statements;
  }

  /**
   * @throws JinjaException if it is no Jinja
   */
  public static JinjaTemplate parse(String source) {
    try {
      return new JinjaTemplate(Parser.parse(source));
    } catch (StackOverflowError e) {
      throw JinjaException.refused("it is nested too deeply");
    }
  }

  /**
   * The template's text.
   *
   * @param variables what it sees: texts, numbers, booleans, null, maps and collections of such
   * @param clock what {@code strftime_now} reads
   * @throws JinjaException if it cannot be computed, refuses the variables, or takes too much
   * @throws IllegalArgumentException if a variable is something else
   */
  public String render(Map<String, ?> variables, Clock clock) {
    Budget.begin();
    try {
      Frame globals = Frame.root();
      Globals.of(clock).forEach(globals::set);
      Frame frame = globals.inner();
      variables.forEach((name, value) -> frame.set(name, Values.of(value)));
      Statement.runAll(statements, frame);
      return frame.output();
    } catch (StackOverflowError e) {
      throw JinjaException.refused("it is nested too deeply");
    } finally {
      Budget.end();
    }
  }
}
