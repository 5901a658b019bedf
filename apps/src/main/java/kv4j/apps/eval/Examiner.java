package kv4j.apps.eval;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.LongAdder;
import kv4j.apps.facts.Exam;
import kv4j.apps.facts.Turn;
import kv4j.apps.report.Progress;
import kv4j.apps.text.TextStream;
import kv4j.cache.KvRequest;
import kv4j.inference.GenerationRequest;
import kv4j.inference.Sampling;
import kv4j.inference.schedule.ScheduledResult;
import kv4j.inference.schedule.Scheduler;
import kv4j.model.Tokenizer;
import kv4j.model.chat.ChatMessage;
import kv4j.model.chat.ChatTemplate;

/**
 * Puts exams to a model, several at a time; the questions of one come one after the other, so that
 * each finds the page in the cache. Answers are greedy. In a conversation, what the model said
 * before stands, right or wrong.
 */
public final class Examiner {
  private static final int AT_ONCE = 16;
  private static final int LONGEST_ANSWER = 64; // tokens

  private final Scheduler scheduler;
  private final ChatTemplate template;
  private final Tokenizer tokenizer;
  private final LongAdder promptTokens = new LongAdder();
  private final LongAdder cachedTokens = new LongAdder();

  public Examiner(Scheduler scheduler, ChatTemplate template, Tokenizer tokenizer) {
    this.scheduler = scheduler;
    this.template = template;
    this.tokenizer = tokenizer;
  }

  /**
   * Makes sure that all conversations have room.
   *
   * @param context most tokens of a sequence
   * @throws IllegalArgumentException with one sentence if one has not
   */
  public void check(List<Exam> exams, int context) {
    for (Exam exam : exams) {
      List<ChatMessage> messages = page(exam);
      for (Turn turn : exam.conversation()) {
        messages.add(question(turn));
        messages.add(answer(turn.answer()));
      }
      int tokens = template.encode(tokenizer, messages, true).length + LONGEST_ANSWER;
      if (tokens > context) {
        throw new IllegalArgumentException(
            "a page with its conversation takes %d tokens, but the context is %d"
                .formatted(tokens, context));
      }
    }
  }

  /**
   * All answers, in the order of the exams.
   *
   * @throws ExecutionException if a request fails
   */
  public List<Answer> examine(List<Exam> exams, Progress progress)
      throws InterruptedException, ExecutionException {
    ExecutorService candidates = Executors.newFixedThreadPool(AT_ONCE);
    try {
      List<Future<List<Answer>>> papers = new ArrayList<>();
      for (Exam exam : exams) {
        papers.add(candidates.submit((Callable<List<Answer>>) () -> answers(exam)));
      }
      List<Answer> answers = new ArrayList<>();
      for (Future<List<Answer>> paper : papers) {
        answers.addAll(paper.get());
        progress.step("pages");
      }
      return answers;
    } finally {
      candidates.shutdownNow();
    }
  }

  private List<Answer> answers(Exam exam) throws InterruptedException, ExecutionException {
    List<Answer> answers = new ArrayList<>();
    for (Turn turn : exam.questions()) {
      List<ChatMessage> messages = page(exam);
      messages.add(question(turn));
      answers.add(new Answer(turn, false, ask(messages)));
    }
    List<ChatMessage> messages = page(exam);
    for (Turn turn : exam.conversation()) {
      messages.add(question(turn));
      String said = ask(messages);
      messages.add(answer(said));
      answers.add(new Answer(turn, true, said));
    }
    return answers;
  }

  private static List<ChatMessage> page(Exam exam) {
    return new ArrayList<>(List.of(new ChatMessage("system", exam.page())));
  }

  private static ChatMessage question(Turn turn) {
    return new ChatMessage("user", turn.question());
  }

  private static ChatMessage answer(String text) {
    return new ChatMessage("assistant", text);
  }

  private String ask(List<ChatMessage> messages) throws InterruptedException, ExecutionException {
    KvRequest prompt = KvRequest.of(template.encode(tokenizer, messages, true));
    TextStream answer = new TextStream(tokenizer, List.of(), text -> {});
    ScheduledResult result =
        scheduler
            .submit(
                new GenerationRequest(prompt, LONGEST_ANSWER, Sampling.GREEDY),
                (token, logits) -> answer.next(token))
            .await();
    answer.end();
    promptTokens.add(result.generation().lookup().promptTokens());
    cachedTokens.add(result.generation().lookup().cachedTokens());
    return answer.text();
  }

  /** Tokens of all prompts so far. */
  public long promptTokens() {
    return promptTokens.sum();
  }

  /** How many of these the cache had. */
  public long cachedTokens() {
    return cachedTokens.sum();
  }
}
