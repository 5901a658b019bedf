package kv4j.apps.chat;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import java.util.stream.Stream;
import kv4j.apps.model.LoadedModel;
import kv4j.apps.text.GenerationOptions;
import kv4j.apps.text.TextResult;
import kv4j.apps.text.TextSession;
import kv4j.model.chat.ChatMessage;
import kv4j.model.chat.ChatTemplate;
import kv4j.model.chat.Transcript;

/**
 * A conversation with a model, whose past the session's cache keeps. When the context is full, it
 * goes on without its oldest exchanges.
 */
public final class Conversation {
  /** What ends an answer in the plain template, which has no tokens for that. */
  private static final String NEXT_TURN = "\nuser:";

  /**
   * Part of the context that is free after exchanges were left out: each time, what follows them is
   * computed anew, and so they are not left out one by one.
   */
  private static final int FREE = 4;

  private static final String SYSTEM = "system";
  private static final String USER = "user";

  private final TextSession session;
  private final GenerationOptions generation;
  private final List<String> stops;
  private final int context;
  private final Transcript transcript;
  private final List<ChatMessage> beginning;
  private List<ChatMessage> messages;

  /**
   * A message on its way to the model.
   *
   * @param messages the conversation with it
   * @param leftOut how many of the oldest exchanges the conversation goes on without
   */
  public record Question(List<ChatMessage> messages, Transcript.Prompt prompt, int leftOut) {}

  /**
   * An answer.
   *
   * @param cachedAnswerTokens how many of the prompt's cached tokens are ids of earlier answers
   */
  public record Answer(TextResult result, int cachedAnswerTokens) {}

  /**
   * @param system what it begins with
   */
  public Conversation(
      LoadedModel loaded,
      TextSession session,
      GenerationOptions generation,
      Optional<String> system) {
    this.session = session;
    this.generation = generation;
    context = loaded.model().config().context();
    ChatTemplate template = loaded.template().orElseGet(ChatTemplate::plain);
    transcript = new Transcript(template, loaded.model().tokenizer());
    Stream<String> turn = loaded.template().isPresent() ? Stream.empty() : Stream.of(NEXT_TURN);
    stops = Stream.concat(generation.stops().stream(), turn).toList();
    beginning = system.map(text -> new ChatMessage(SYSTEM, text)).stream().toList();
    messages = beginning;
  }

  /** What it begins with. */
  Optional<String> system() {
    return beginning.stream().map(ChatMessage::content).findFirst();
  }

  /** Forgets what was said; the cache does not. */
  public void clear() {
    messages = beginning;
  }

  /**
   * Writes the next prompt, without any change to the conversation.
   *
   * @throws IllegalArgumentException with one sentence if the message does not fit the context even
   *     by itself, or the template does not take it
   */
  public Question ask(String text) {
    List<ChatMessage> all = new ArrayList<>(messages);
    all.add(new ChatMessage(USER, text));
    Transcript.Prompt prompt = transcript.prompt(all);
    int room = generation.room(context);
    if (prompt.length() + room <= context) {
      return new Question(all, prompt, 0);
    }
    int leftOut = 0;
    while (all.size() > beginning.size() + 1 && prompt.length() + room > context - context / FREE) {
      do {
        all.remove(beginning.size());
      } while (!all.get(beginning.size()).role().equals(USER));
      leftOut++;
      prompt = transcript.prompt(all);
    }
    if (prompt.length() + room > context) {
      throw new IllegalArgumentException(
          ("the message takes %d tokens even without what was said before, and %d are kept for the"
                  + " answer, but the context is %d; it is left out, and the conversation is as it"
                  + " was")
              .formatted(prompt.length(), room, context));
    }
    return new Question(all, prompt, leftOut);
  }

  /**
   * Has the model answer, and takes question and answer into the conversation.
   *
   * @param out takes the answer piece by piece
   * @param stop whether the answer should end where it is
   */
  public Answer answer(Question question, Consumer<String> out, BooleanSupplier stop) {
    TextResult result = session.generate(question.prompt.tokens(), generation, stops, out, stop);
    transcript.answered(question.prompt, result.tokens());
    messages = new ArrayList<>(question.messages);
    messages.add(new ChatMessage("assistant", result.text()));
    return new Answer(result, question.prompt.answerTokens(result.cachedTokens()));
  }
}
