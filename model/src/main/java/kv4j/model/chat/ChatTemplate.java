package kv4j.model.chat;

import java.time.Clock;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import kv4j.model.Tokenizer;
import kv4j.model.jinja.JinjaException;
import kv4j.model.jinja.JinjaTemplate;

/**
 * How a model wants a conversation written down: a Jinja template that came with it, or several
 * with names. Templates are run as Hugging Face's libraries run them, and see the same variables:
 * {@code messages}, {@code tools}, {@code documents}, {@code add_generation_prompt}, {@code
 * bos_token}, {@code eos_token} and what else the caller gives. They are parsed when they are first
 * used.
 */
public final class ChatTemplate {
  private static final String DEFAULT = "default";
  private static final String TOOL_USE = "tool_use";
  private static final String TOOLS = "tools";
  private static final String SYSTEM = "system";
  private static final String USER = "user";
  private static final List<ChatMessage> PROBE =
      List.of(new ChatMessage(SYSTEM, "0123456789"), new ChatMessage(USER, "9876543210"));

  private final Map<String, String> sources;
  private final Map<String, JinjaTemplate> parsed = new ConcurrentHashMap<>();
  private final String begin;
  private final String end;
  private final Clock clock;

  /**
   * @param template the Jinja text
   * @param begin what the template calls {@code bos_token}; empty if there is none
   * @param end what the template calls {@code eos_token}; empty if there is none
   */
  public ChatTemplate(String template, String begin, String end) {
    this(template, begin, end, Clock.systemDefaultZone());
  }

  /** As above, with the clock that {@code strftime_now} reads. */
  public ChatTemplate(String template, String begin, String end, Clock clock) {
    this(Map.of(DEFAULT, template), begin, end, clock);
  }

  /**
   * Several templates by name. Conversations with tools are written by the one named {@code
   * tool_use} if there is one, all others by {@code default}, as Transformers does.
   */
  public ChatTemplate(Map<String, String> templates, String begin, String end) {
    this(templates, begin, end, Clock.systemDefaultZone());
  }

  private ChatTemplate(Map<String, String> templates, String begin, String end, Clock clock) {
    if (templates.isEmpty()) {
      throw new IllegalArgumentException("there is no chat template");
    }
    sources = new LinkedHashMap<>(templates);
    this.begin = begin;
    this.end = end;
    this.clock = clock;
  }

  /**
   * For a model without a template: a line {@code role: content} for each message. An assistant's
   * content begins right after the colon, as the model wrote it.
   */
  public static ChatTemplate plain() {
    String lines =
        "{% for message in messages %}{{ message.role + ':' }}"
            + "{{ '' if message.role == 'assistant' else ' ' }}{{ message.content + '\\n' }}"
            + "{% endfor %}{% if add_generation_prompt %}{{ 'assistant:' }}{% endif %}";
    return new ChatTemplate(lines, "", "");
  }

  /** The Jinja text it was made of; of several, all under their names. */
  public String source() {
    return sources.size() == 1
        ? sources.values().iterator().next()
        : sources.entrySet().stream()
            .map(named -> "{# " + named.getKey() + " #}\n" + named.getValue())
            .collect(Collectors.joining("\n"));
  }

  /**
   * The conversation as text.
   *
   * @param generationPrompt whether the text goes on to where the model's answer begins
   * @throws IllegalArgumentException if the template refuses the conversation, cannot be run, or
   *     there is none of the name that is needed
   */
  public String render(List<ChatMessage> messages, boolean generationPrompt) {
    return render(messages, generationPrompt, Map.of());
  }

  /** As above, with further variables that a template knows, such as {@code enable_thinking}. */
  public String render(
      List<ChatMessage> messages, boolean generationPrompt, Map<String, ?> variables) {
    Map<String, Object> all = new LinkedHashMap<>(variables);
    List<Map<String, Object>> written = new ArrayList<>();
    for (ChatMessage message : messages) {
      Map<String, Object> fields = new LinkedHashMap<>();
      fields.put("role", message.role());
      fields.put("content", message.content());
      written.add(fields);
    }
    all.put("messages", written);
    all.put("add_generation_prompt", generationPrompt);
    return render(all);
  }

  /**
   * What the template makes of these variables, {@code messages} among them: maps with all that a
   * message can have, such as {@code tool_calls}.
   *
   * @param variables texts, numbers, booleans, null, maps and collections of such; a map's order is
   *     the order in which the template sees it
   * @throws IllegalArgumentException as above, or if a variable is something else
   */
  public String render(Map<String, ?> variables) {
    if (!(variables.get("messages") instanceof List<?> messages) || messages.isEmpty()) {
      throw new IllegalArgumentException("a conversation needs a message");
    }
    Map<String, Object> all = new LinkedHashMap<>();
    all.put(TOOLS, null);
    all.put("documents", null);
    all.put("add_generation_prompt", false);
    all.put("bos_token", begin);
    all.put("eos_token", end);
    all.putAll(variables);
    try {
      return parsed.computeIfAbsent(choose(all.get(TOOLS) != null), this::parse).render(all, clock);
    } catch (JinjaException e) {
      throw failure(e);
    }
  }

  private JinjaTemplate parse(String name) {
    return JinjaTemplate.parse(sources.get(name));
  }

  private String choose(boolean withTools) {
    if (withTools && sources.containsKey(TOOL_USE)) {
      return TOOL_USE;
    }
    if (!sources.containsKey(DEFAULT)) {
      throw new IllegalArgumentException(
          "the chat template has no default, only " + String.join(", ", sources.keySet()));
    }
    return DEFAULT;
  }

  private static IllegalArgumentException failure(JinjaException e) {
    String what =
        e.kind() == JinjaException.Kind.RAISED
            ? "the chat template refuses the conversation: "
            : "the chat template cannot be run, line " + e.line() + ": ";
    return new IllegalArgumentException(what + e.getMessage().replace('\n', ' '), e);
  }

  /**
   * The conversation as ids. The template's special tokens become tokens; what the messages say is
   * text, even if it looks like a special token. The begin token comes first where the tokenizer
   * adds one and the template has not. Where the template knows no system messages, one at the
   * beginning becomes the beginning of the first user message.
   *
   * @throws IllegalArgumentException as {@link #render}
   */
  public int[] encode(Tokenizer tokenizer, List<ChatMessage> messages, boolean generationPrompt) {
    return encode(tokenizer, write(tokenizer, messages, generationPrompt));
  }

  /** Whether some template writes down the tools that a model may call. */
  public boolean takesTools() {
    return sources.containsKey(TOOL_USE)
        || sources.values().stream().anyMatch(source -> source.contains(TOOLS));
  }

  /**
   * The conversation as ids, as {@link #encode(Tokenizer, List, boolean)}, of messages with more
   * than a role and a content, and with tools. All texts in them are text, even if they look like
   * special tokens.
   *
   * @param messages as the template sees them: texts, numbers, booleans, null, maps and lists of
   *     such
   * @param tools what the model may call; null for none
   * @throws IllegalArgumentException as {@link #render}
   */
  public int[] encode(
      Tokenizer tokenizer,
      List<? extends Map<String, ?>> messages,
      List<? extends Map<String, ?>> tools,
      boolean generationPrompt) {
    Map<String, Object> variables = new LinkedHashMap<>();
    variables.put("messages", escaped(tokenizer, messages));
    variables.put(TOOLS, escaped(tokenizer, tools));
    variables.put("add_generation_prompt", generationPrompt);
    return encode(tokenizer, render(variables));
  }

  private static Object escaped(Tokenizer tokenizer, Object value) {
    if (value instanceof String text) {
      return tokenizer.escapeSpecial(text);
    }
    if (value instanceof List<?> list) {
      List<Object> copy = new ArrayList<>();
      list.forEach(element -> copy.add(escaped(tokenizer, element)));
      return copy;
    }
    if (value instanceof Map<?, ?> map) {
      Map<String, Object> copy = new LinkedHashMap<>();
      map.forEach(
          (key, element) ->
              copy.put(tokenizer.escapeSpecial((String) key), escaped(tokenizer, element)));
      return copy;
    }
    return value;
  }

  /** The conversation as text in which what the messages say is marked as text. */
  String write(Tokenizer tokenizer, List<ChatMessage> messages, boolean generationPrompt) {
    List<ChatMessage> escaped =
        withoutUnknownRole(messages).stream()
            .map(
                message ->
                    new ChatMessage(
                        tokenizer.escapeSpecial(message.role()),
                        tokenizer.escapeSpecial(message.content())))
            .toList();
    return render(escaped, generationPrompt);
  }

  /** The ids of what {@link #write} gave. */
  static int[] encode(Tokenizer tokenizer, String written) {
    int[] tokens = tokenizer.encodeWithSpecial(written);
    boolean begun = tokens.length > 0 && tokens[0] == tokenizer.beginToken();
    return tokenizer.addsBegin() && !begun
        ? IntStream.concat(IntStream.of(tokenizer.beginToken()), IntStream.of(tokens)).toArray()
        : tokens;
  }

  private List<ChatMessage> withoutUnknownRole(List<ChatMessage> messages) {
    boolean foldable =
        messages.size() > 1
            && messages.get(0).role().equals(SYSTEM)
            && messages.get(1).role().equals(USER);
    if (!foldable || takesSystem()) {
      return messages;
    }
    String both = messages.get(0).content() + "\n\n" + messages.get(1).content();
    List<ChatMessage> folded = new ArrayList<>(messages.subList(1, messages.size()));
    folded.set(0, new ChatMessage(USER, both));
    return folded;
  }

  /** Some templates refuse system messages, others leave them out without a word. */
  private boolean takesSystem() {
    try {
      return render(PROBE, true).contains(PROBE.get(0).content());
    } catch (IllegalArgumentException e) {
      return false;
    }
  }
}
