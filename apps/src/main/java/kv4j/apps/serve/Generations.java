package kv4j.apps.serve;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.javalin.http.Context;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.BiFunction;
import kv4j.apps.serve.host.ServedModel;
import kv4j.apps.serve.host.Tenant;
import kv4j.apps.serve.http.Bodies;
import kv4j.apps.serve.http.EventStream;
import kv4j.apps.serve.http.Gate;
import kv4j.apps.serve.http.Presence;
import kv4j.apps.serve.openai.AnswerWriter;
import kv4j.apps.serve.openai.Ask;
import kv4j.apps.serve.openai.ModelCard;
import kv4j.apps.serve.openai.Piece;
import kv4j.apps.serve.openai.RequestException;
import kv4j.apps.serve.openai.StrictJson;
import kv4j.inference.schedule.ScheduledResult;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Answers chats and completions. */
final class Generations {
  private static final Logger LOG = LoggerFactory.getLogger(Generations.class);

  /** How long an answer says nothing before it is seen whether its client is still there. */
  private static final long PATIENCE_MS = 1000;

  private final ServedModel model;
  private final Gate gate;
  private final int mostAnswers;
  private int writing; // requests whose threads have not yet sent all there is

  /**
   * @param mostAnswers to one request, since more would never find room
   */
  Generations(ServedModel model, Gate gate, int mostAnswers) {
    this.model = model;
    this.gate = gate;
    this.mostAnswers = mostAnswers;
  }

  void chat(Context ctx) throws Exception {
    answer(ctx, Ask::chat);
  }

  void completion(Context ctx) throws Exception {
    answer(ctx, Ask::completion);
  }

  private synchronized void count(int more) {
    writing += more;
    notifyAll();
  }

  /** Waits until all requests that have ended have been answered as well. */
  synchronized void awaitWritten(Duration patience) {
    long end = System.nanoTime() + patience.toNanos();
    try {
      for (long left = patience.toNanos(); writing > 0 && left > 0; ) {
        TimeUnit.NANOSECONDS.timedWait(this, left);
        left = end - System.nanoTime();
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private void answer(Context ctx, BiFunction<ObjectNode, ModelCard, Ask> reader) throws Exception {
    count(1);
    try {
      readAndAnswer(ctx, reader);
    } finally {
      count(-1);
    }
  }

  private void readAndAnswer(Context ctx, BiFunction<ObjectNode, ModelCard, Ask> reader)
      throws Exception {
    Tenant tenant = new Tenant(gate.tenant(ctx));
    Ask ask = reader.apply(Bodies.object(ctx), model.card());
    int answers = ask.prompts().size() * ask.settings().answers();
    if (answers > mostAnswers) {
      throw RequestException.invalid(
          "n",
          "the request asks for %d answers, but the server takes at most %d at a time"
              .formatted(answers, mostAnswers));
    }
    AnswerWriter writer = new AnswerWriter(ask, model.card());
    try (Batch batch = start(ask, tenant, writer.id())) {
      if (ask.settings().stream()) {
        stream(new EventStream(ctx), batch, writer, ask.settings().includeUsage());
      } else {
        Bodies.send(ctx, whole(new Presence(ctx), batch, writer, answers));
      }
    } catch (IllegalStateException e) {
      throw RequestException.of(503, "shutting_down", "the server is shutting down");
    }
  }

  private Batch start(Ask ask, Tenant tenant, String id) {
    try {
      return Batch.start(model, ask, tenant, id);
    } catch (IllegalArgumentException e) {
      throw RequestException.of(400, "does_not_fit", e.getMessage());
    }
  }

  private ObjectNode whole(Presence client, Batch batch, AnswerWriter writer, int answers)
      throws IOException, InterruptedException {
    List<StringBuilder> texts = new ArrayList<>();
    List<List<Piece.Token>> tokens = new ArrayList<>();
    List<Piece> wholes = new ArrayList<>();
    for (int i = 0; i < answers; i++) {
      texts.add(new StringBuilder());
      tokens.add(new ArrayList<>());
      wholes.add(null);
    }
    while (!batch.hasEnded()) {
      Batch.Item item = batch.next(PATIENCE_MS);
      if (client.hasLeft()) {
        throw RequestException.of(
            400, "client_left", "the client closed the connection before its answer was complete");
      }
      if (item == null) {
        continue;
      }
      check(item);
      Piece piece = item.piece();
      texts.get(piece.answer()).append(piece.text());
      tokens.get(piece.answer()).addAll(piece.tokens());
      if (item.finished() != null) {
        int i = piece.answer();
        wholes.set(i, new Piece(i, texts.get(i).toString(), tokens.get(i), piece.finish()));
      }
    }
    return writer.whole(wholes, batch.account());
  }

  private void stream(EventStream out, Batch batch, AnswerWriter writer, boolean usageApart)
      throws IOException, InterruptedException {
    try {
      while (!batch.hasEnded()) {
        Batch.Item item = batch.next(PATIENCE_MS);
        if (item == null) {
          out.signOfLife();
          continue;
        }
        check(item);
        boolean last = batch.hasEnded();
        List<ObjectNode> chunks =
            last ? writer.lastChunks(item.piece(), batch.account()) : writer.chunks(item.piece());
        for (ObjectNode chunk : chunks) {
          out.data(StrictJson.write(chunk));
        }
      }
      if (batch.isSlow()) {
        throw new IOException("the client did not keep up");
      }
      if (usageApart) {
        out.data(StrictJson.write(writer.accounts(batch.account())));
      }
      out.data("[DONE]");
    } catch (RequestException e) {
      if (!out.hasBegun()) {
        throw e;
      }
      out.data(StrictJson.write(e.json())); // and no [DONE]: it is not all
    }
  }

  /** Stops at an answer that did not come to its end. */
  private static void check(Batch.Item item) {
    if (item.failure() instanceof OutOfMemoryError) {
      throw RequestException.of(
          503, "out_of_memory", "there is not enough memory for this request right now");
    }
    if (item.failure() != null) {
      LOG.info("a generation failed", item.failure());
      throw RequestException.of(
          500, "generation_failed", "the generation failed: " + item.failure().getMessage());
    }
    if (item.finished() != null && item.finished().end() == ScheduledResult.End.CANCELLED) {
      throw RequestException.of(503, "cancelled", "the request was cancelled before its end");
    }
  }
}
