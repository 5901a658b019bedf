package kv4j.apps.serve;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import kv4j.apps.serve.host.RequestRecord;
import kv4j.apps.serve.host.ServedModel;
import kv4j.apps.serve.host.Tenant;
import kv4j.apps.serve.openai.Account;
import kv4j.apps.serve.openai.Ask;
import kv4j.apps.serve.openai.Piece;
import kv4j.inference.GenerationRequest;
import kv4j.inference.schedule.QueueFullException;
import kv4j.inference.schedule.ScheduledResult;
import kv4j.inference.schedule.Submission;

/**
 * All answers to one request while they are generated. The scheduler's thread puts pieces into a
 * queue, from which the request's thread takes them. If that does not keep up, since its client
 * does not, the answers are cancelled: nobody waits for it.
 */
final class Batch implements AutoCloseable {
  /** Pieces that a client may lag behind by. */
  static final int MOST_BEHIND = 1024;

  private final ServedModel model;
  private final Ask ask;
  private final Tenant tenant;
  private final String id;
  private final List<Submission> running =
      new CopyOnWriteArrayList<>(); // the scheduler's thread cancels
  private final BlockingQueue<Item> items = new LinkedBlockingQueue<>();
  private final AtomicInteger waiting = new AtomicInteger();
  private final ScheduledResult[] finished;
  private volatile boolean slow;
  private int ended;

  /**
   * What comes of answers.
   *
   * @param piece the next stretch of one
   * @param finished what it took, with its last piece; else null
   * @param failure instead of both, if it failed; else null
   */
  record Item(Piece piece, ScheduledResult finished, Throwable failure) {}

  private Batch(ServedModel model, Ask ask, Tenant tenant, String id) {
    this.model = model;
    this.ask = ask;
    this.tenant = tenant;
    this.id = id;
    finished = new ScheduledResult[ask.prompts().size() * ask.settings().answers()];
  }

  /**
   * Starts all answers to a request.
   *
   * @param id of the request
   * @throws QueueFullException if there is no room for all of them; then none was started
   */
  static Batch start(ServedModel model, Ask ask, Tenant tenant, String id) {
    Batch batch = new Batch(model, ask, tenant, id);
    try {
      for (int i = 0; i < batch.finished.length; i++) {
        batch.startAnswer(i);
      }
      return batch;
    } catch (RuntimeException | Error e) {
      batch.close();
      throw e;
    }
  }

  private void startAnswer(int index) {
    int prompt = index / ask.settings().answers();
    String name = finished.length == 1 ? id : id + "-" + index;
    GenerationRequest request =
        new GenerationRequest(
            tenant.request(ask.prompts().get(prompt), ask.settings().salt(), name),
            ask.newTokens().get(prompt),
            ask.settings().sampling(index));
    RequestRecord record =
        model
            .recorder()
            .queued(
                name, tenant, request.prompt(), ask.settings().user(), ask.settings().cacheKey());
    Answer answer = new Answer(index, ask.settings(), model.card().tokenizer(), this::put, record);
    Submission started;
    try {
      started = model.scheduler().submit(request, answer);
    } catch (QueueFullException e) {
      record.rejected();
      throw e;
    }
    running.add(started);
    started.result().whenComplete((result, failure) -> end(answer, record, result, failure));
  }

  private void end(Answer answer, RequestRecord record, ScheduledResult result, Throwable failure) {
    if (failure != null) {
      record.failed();
      items.add(new Item(null, null, failure));
      return;
    }
    Item last;
    try {
      record.finished(result);
      last = new Item(answer.end(), result, null);
    } catch (RuntimeException | Error e) { // somebody waits for the last item, whatever happens
      last = new Item(null, null, e);
    }
    items.add(last);
  }

  private void put(Piece piece) {
    if (waiting.incrementAndGet() > MOST_BEHIND) {
      slow = true;
      running.forEach(Submission::cancel);
      return;
    }
    items.add(new Item(piece, null, null));
  }

  /** Whether all answers have ended, their last pieces taken. */
  boolean hasEnded() {
    return ended == finished.length;
  }

  /** Whether pieces were lost because they were not taken in time. */
  boolean isSlow() {
    return slow;
  }

  /**
   * What comes next.
   *
   * @return null if nothing has come in time
   */
  Item next(long patienceMs) throws InterruptedException {
    Item item = items.poll(patienceMs, TimeUnit.MILLISECONDS);
    if (item == null) {
      return null;
    }
    if (item.finished == null && item.failure == null) {
      waiting.decrementAndGet();
      return item;
    }
    ended++;
    if (item.finished != null) {
      finished[item.piece.answer()] = item.finished;
    }
    return item;
  }

  /** The accounts of all answers, once they have ended. */
  Account account() {
    int each = ask.settings().answers();
    List<Account.Prompt> prompts = new ArrayList<>();
    for (int i = 0; i < ask.prompts().size(); i++) {
      List<ScheduledResult> answers = Arrays.asList(finished).subList(i * each, (i + 1) * each);
      prompts.add(new Account.Prompt(ask.prompts().get(i), answers));
    }
    return new Account(prompts, model.recorder().prefillMsPerToken());
  }

  /** Cancels what has not ended. */
  @Override
  public void close() {
    running.forEach(Submission::cancel);
  }
}
