package kv4j.model.chat;

import com.hubspot.jinjava.Jinjava;
import com.hubspot.jinjava.JinjavaConfig;
import com.hubspot.jinjava.LegacyOverrides;
import com.hubspot.jinjava.interpret.RenderResult;
import com.hubspot.jinjava.interpret.TemplateError;
import com.hubspot.jinjava.loader.ResourceNotFoundException;
import java.time.Clock;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import kv4j.model.Tokenizer;

/**
 * How a model wants a conversation written down: a Jinja template that came with it. Blocks are
 * trimmed as Hugging Face's libraries do, and the template sees {@code messages}, {@code
 * bos_token}, {@code eos_token}, {@code add_generation_prompt}, {@code raise_exception} and {@code
 * strftime_now}.
 *
 * <p>A template is another's program: it can compute with texts, lists and maps, and reach nothing
 * else.
 */
public final class ChatTemplate {
  private static final long LONGEST_OUTPUT = 1 << 28;
  private static final Jinjava JINJAVA = jinjava();
  private static final String SYSTEM = "system";
  private static final String USER = "user";
  private static final List<ChatMessage> PROBE =
      List.of(new ChatMessage(SYSTEM, "0123456789"), new ChatMessage(USER, "9876543210"));

  private final String source;
  private final String template;
  private final String begin;
  private final String end;
  private final Clock clock;

  /**
   * @param template the Jinja text
   * @param begin what the template calls {@code bos_token}; empty if there is none
   * @param end what the template calls {@code eos_token}; empty if there is none
   * @throws IllegalArgumentException if the template is cut off, or needs what is not supported
   */
  public ChatTemplate(String template, String begin, String end) {
    this(template, begin, end, Clock.systemDefaultZone());
  }

  /** As above, with the clock that {@code strftime_now} reads. */
  public ChatTemplate(String template, String begin, String end, Clock clock) {
    source = template;
    this.template = TemplateSource.rewrite(template);
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

  /** The Jinja text it was made of. */
  public String source() {
    return source;
  }

  /**
   * The conversation as text.
   *
   * @param generationPrompt whether the text goes on to where the model's answer begins
   * @throws IllegalArgumentException if the template refuses the conversation or is malformed
   */
  public String render(List<ChatMessage> messages, boolean generationPrompt) {
    return render(messages, generationPrompt, Map.of());
  }

  /** As above, with further variables that a template knows, such as {@code enable_thinking}. */
  public String render(
      List<ChatMessage> messages, boolean generationPrompt, Map<String, ?> variables) {
    if (messages.isEmpty()) {
      throw new IllegalArgumentException("a conversation needs a message");
    }
    Map<String, Object> bindings = new HashMap<>(variables);
    bindings.put(
        "messages",
        messages.stream()
            .map(message -> Map.of("role", message.role(), "content", message.content()))
            .toList());
    bindings.put("bos_token", begin);
    bindings.put("eos_token", end);
    bindings.put("add_generation_prompt", generationPrompt);
    // Functions are no variables to the engine, yet templates ask whether this one is defined.
    bindings.put("strftime_now", true);
    bindings.put(TemplateFunctions.CLOCK, clock);
    RenderResult result;
    try {
      result = JINJAVA.renderForResult(template, bindings);
    } catch (StackOverflowError e) {
      throw new IllegalArgumentException("the chat template is nested too deeply", e);
    }
    for (TemplateError error : result.getErrors()) {
      if (error.getSeverity() == TemplateError.ErrorType.FATAL) {
        throw failure(error);
      }
    }
    return result.getOutput();
  }

  private static IllegalArgumentException failure(TemplateError error) {
    for (Throwable cause = error.getException(); cause != null; cause = cause.getCause()) {
      if (cause instanceof TemplateFunctions.Refusal) {
        return new IllegalArgumentException(
            "the chat template refuses the conversation: " + cause.getMessage(), cause);
      }
    }
    return new IllegalArgumentException(
        "the chat template cannot be run: " + error.getMessage().replace('\n', ' '),
        error.getException());
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

  private static Jinjava jinjava() {
    JinjavaConfig config =
        JinjavaConfig.newBuilder()
            .withKeepTrailingNewline(true)
            .withNestedInterpretationEnabled(false)
            .withLegacyOverrides(LegacyOverrides.newBuilder().withIterateOverMapKeys(true).build())
            .withMaxOutputSize(LONGEST_OUTPUT)
            .withElResolver(new TemplateValues())
            .build();
    Jinjava jinjava = new Jinjava(config);
    jinjava.setResourceLocator(
        (name, encoding, interpreter) -> {
          throw new ResourceNotFoundException("a chat template cannot include " + name);
        });
    TemplateFunctions.register(jinjava);
    return jinjava;
  }
}
