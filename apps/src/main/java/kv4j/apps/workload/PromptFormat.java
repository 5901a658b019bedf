package kv4j.apps.workload;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import kv4j.model.Tokenizer;
import kv4j.model.chat.ChatMessage;
import kv4j.model.chat.ChatTemplate;

/**
 * Turns a workload's texts into prompts: with a chat template as messages, without one as plain
 * text, one after the other.
 */
public final class PromptFormat {
  private final Tokenizer tokenizer;
  private final Optional<ChatTemplate> template;

  /**
   * @param template empty: plain text
   */
  public PromptFormat(Tokenizer tokenizer, Optional<ChatTemplate> template) {
    this.tokenizer = tokenizer;
    this.template = template;
  }

  /** Plain text. */
  public static PromptFormat plain(Tokenizer tokenizer) {
    return new PromptFormat(tokenizer, Optional.empty());
  }

  /** Whether the model is asked, and answers; else it goes on with a text. */
  boolean isChat() {
    return template.isPresent();
  }

  /** What it is, for people. */
  public String description() {
    return template.isPresent() ? "the model's chat template" : "plain text";
  }

  /** A text and its tokens, from which it can be cut. */
  record Passage(String text, int[] tokens) {}

  /**
   * Part of a prompt.
   *
   * @param role whose message it is, or belongs to: parts of a role that follow each other are one
   */
  record Part(String role, Passage passage) {
    static Part system(Passage passage) {
      return new Part("system", passage);
    }

    static Part user(Passage passage) {
      return new Part("user", passage);
    }

    static Part assistant(Passage passage) {
      return new Part("assistant", passage);
    }
  }

  /** The paragraphs of a system prompt; in plain text after the begin token, if there is one. */
  Passage system(List<String> paragraphs) {
    Passage passage = passage(String.join("\n", paragraphs) + "\n");
    boolean begins = template.isEmpty() && tokenizer.addsBegin();
    return begins
        ? new Passage(passage.text(), concat(new int[] {tokenizer.beginToken()}, passage.tokens()))
        : passage;
  }

  Passage passage(String text) {
    return new Passage(text, tokenizer.encode(text));
  }

  /**
   * The first {@code most} tokens of a passage, or all of it; a character that is cut in half at
   * the end is left out of its text.
   */
  Passage first(Passage passage, int most) {
    if (passage.tokens().length <= most) {
      return passage;
    }
    int[] tokens = Arrays.copyOf(passage.tokens(), most);
    return new Passage(tokenizer.decode(tokens).replaceFirst("\uFFFD+\\z", ""), tokens);
  }

  /**
   * A prompt.
   *
   * @throws IllegalArgumentException if the template does not take it
   */
  int[] prompt(List<Part> parts) {
    if (template.isEmpty()) {
      return concat(parts.stream().map(part -> part.passage().tokens()).toArray(int[][]::new));
    }
    return template.get().encode(tokenizer, messages(parts), true);
  }

  private static List<ChatMessage> messages(List<Part> parts) {
    List<ChatMessage> messages = new ArrayList<>();
    for (int from = 0, to; from < parts.size(); from = to) {
      String role = parts.get(from).role();
      StringBuilder text = new StringBuilder();
      for (to = from; to < parts.size() && parts.get(to).role().equals(role); to++) {
        text.append(parts.get(to).passage().text());
      }
      messages.add(new ChatMessage(role, text.toString().stripTrailing()));
    }
    return messages;
  }

  /**
   * How many leading tokens all prompts have from the system prompt, whatever the user says after
   * it.
   */
  int sharedTokens(Passage system, List<int[]> prompts) {
    if (template.isEmpty()) {
      return system.tokens().length;
    }
    List<int[]> all = new ArrayList<>(prompts);
    List<Part> other = List.of(Part.system(system), Part.user(passage(".")));
    all.add(prompt(other)); // one prompt alone has no end of what it shares
    int[] first = all.get(0);
    int shared = first.length;
    for (int[] prompt : all.subList(1, all.size())) {
      int differ = Arrays.mismatch(first, prompt);
      shared = differ < 0 ? shared : Math.min(shared, differ);
    }
    return shared;
  }

  private static int[] concat(int[]... parts) {
    return Stream.of(parts).flatMapToInt(IntStream::of).toArray();
  }
}
