package kv4j.model.chat;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.util.DefaultIndenter;
import com.fasterxml.jackson.core.util.DefaultPrettyPrinter;
import com.fasterxml.jackson.core.util.Separators;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.hubspot.jinjava.Jinjava;
import com.hubspot.jinjava.interpret.JinjavaInterpreter;
import com.hubspot.jinjava.lib.exptest.ExpTest;
import com.hubspot.jinjava.lib.filter.Filter;
import com.hubspot.jinjava.lib.fn.ELFunctionDefinition;
import com.hubspot.jinjava.objects.date.StrftimeFormatter;
import java.time.Clock;
import java.time.ZonedDateTime;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** The functions and filters of chat templates that the engine lacks or has otherwise. */
public final class TemplateFunctions {
  /** A variable that no template can name. */
  static final String CLOCK = "kv4j clock";

  private static final ObjectMapper JSON = new ObjectMapper();

  private TemplateFunctions() {}

  /** A template's own complaint. */
  static final class Refusal extends RuntimeException {
    private static final long serialVersionUID = 1L;

    Refusal(String message) {
      super(message);
    }
  }

  static void register(Jinjava jinjava) {
    jinjava.registerFunction(
        new ELFunctionDefinition(
            "", "raise_exception", TemplateFunctions.class, "refuse", Object.class));
    jinjava.registerFunction(
        new ELFunctionDefinition("", "strftime_now", TemplateFunctions.class, "now", String.class));
    jinjava.registerFilter(new Trim());
    jinjava.registerFilter(new Items());
    jinjava.registerFilter(new ToJson());
    jinjava.registerExpTest(new Sequence("iterable"));
    jinjava.registerExpTest(new Sequence("sequence"));
  }

  /** Ends the rendering; public because the engine calls it by reflection. */
  public static String refuse(Object message) {
    throw new Refusal(String.valueOf(message));
  }

  /** The time in C's notation; public because the engine calls it by reflection. */
  public static String now(String format) {
    Clock clock = (Clock) JinjavaInterpreter.getCurrent().retraceVariable(CLOCK, -1);
    return StrftimeFormatter.format(ZonedDateTime.now(clock), format);
  }

  /** A text is a sequence of characters to Python; templates rely on it. */
  private record Sequence(String name) implements ExpTest {
    @Override
    public String getName() {
      return name;
    }

    @Override
    public boolean evaluate(Object value, JinjavaInterpreter interpreter, Object... arguments) {
      return value instanceof Iterable || value instanceof Map || value instanceof CharSequence;
    }
  }

  /** Python's {@code strip} knows more spaces than Java's {@code trim}. */
  private static final class Trim implements Filter {
    @Override
    public String getName() {
      return "trim";
    }

    @Override
    public Object filter(Object value, JinjavaInterpreter interpreter, String... arguments) {
      return value == null ? "" : PythonStrings.strip(value.toString(), null, true, true);
    }
  }

  /** A map's keys and values, in pairs. */
  private static final class Items implements Filter {
    @Override
    public String getName() {
      return "items";
    }

    @Override
    public Object filter(Object value, JinjavaInterpreter interpreter, String... arguments) {
      return value instanceof Map<?, ?> map ? new ArrayList<>(map.entrySet()) : List.of();
    }
  }

  /** JSON with Python's spaces: one after each comma and colon, or lines by {@code indent}. */
  private static final class ToJson implements Filter {
    @Override
    public String getName() {
      return "tojson";
    }

    @Override
    public Object filter(
        Object value,
        JinjavaInterpreter interpreter,
        Object[] arguments,
        Map<String, Object> keywords) {
      Object indent = keywords.getOrDefault("indent", arguments.length > 0 ? arguments[0] : null);
      try {
        return JSON.writer(printer(indent)).writeValueAsString(value);
      } catch (JsonProcessingException e) {
        throw new Refusal("it puts into JSON what cannot be: " + e.getOriginalMessage());
      }
    }

    @Override
    public Object filter(Object value, JinjavaInterpreter interpreter, String... arguments) {
      return filter(value, interpreter, new Object[0], Map.of());
    }

    private static DefaultPrettyPrinter printer(Object indent) {
      Separators separators =
          Separators.createDefaultInstance()
              .withObjectFieldValueSpacing(Separators.Spacing.AFTER)
              .withObjectEntrySpacing(Separators.Spacing.AFTER)
              .withArrayValueSpacing(Separators.Spacing.AFTER)
              .withObjectEmptySeparator("")
              .withArrayEmptySeparator("");
      if (!(indent instanceof Number spaces)) {
        DefaultPrettyPrinter oneLine = new DefaultPrettyPrinter(separators);
        oneLine.indentObjectsWith(DefaultPrettyPrinter.NopIndenter.instance);
        oneLine.indentArraysWith(DefaultPrettyPrinter.NopIndenter.instance);
        return oneLine;
      }
      DefaultPrettyPrinter lines =
          new DefaultPrettyPrinter(
              separators
                  .withObjectEntrySpacing(Separators.Spacing.NONE)
                  .withArrayValueSpacing(Separators.Spacing.NONE));
      DefaultIndenter indenter =
          new DefaultIndenter(" ".repeat(Math.max(0, Math.min(8, spaces.intValue()))), "\n");
      lines.indentObjectsWith(indenter);
      lines.indentArraysWith(indenter);
      return lines;
    }
  }
}
