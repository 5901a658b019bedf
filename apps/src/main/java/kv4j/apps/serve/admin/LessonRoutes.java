package kv4j.apps.serve.admin;

import com.fasterxml.jackson.databind.ObjectMapper;
import io.javalin.http.Context;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import kv4j.apps.lesson.Lesson;
import kv4j.apps.lesson.LessonStep;
import kv4j.apps.serve.host.ServedModel;
import kv4j.apps.serve.http.Bodies;
import kv4j.apps.serve.http.EventStream;
import kv4j.apps.serve.http.Gate;
import kv4j.apps.serve.openai.RequestException;
import kv4j.apps.serve.openai.StrictJson;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Gives lessons on the model that is served, one at a time. They have caches of their own, and take
 * turns with requests, pass by pass.
 */
public final class LessonRoutes {
  private static final Logger LOG = LoggerFactory.getLogger(LessonRoutes.class);
  private static final int SIGN_OF_LIFE_MS = 1000;
  private static final ObjectMapper JSON = new ObjectMapper();

  private final ServedModel model;
  private final Gate gate;
  private final List<Lesson> lessons;
  private final Semaphore room = new Semaphore(1);
  private volatile boolean closed;

  /**
   * @param lessons those that there are
   */
  public LessonRoutes(ServedModel model, Gate gate, List<Lesson> lessons) {
    this.model = model;
    this.gate = gate;
    this.lessons = List.copyOf(lessons);
  }

  /** Ends a lesson that is given after its next step. */
  public void close() {
    closed = true;
  }

  /** {@code GET /lessons}. */
  public void list(Context ctx) {
    gate.requireAdmin(ctx);
    List<Lesson.Outline> outlines = lessons.stream().map(Lesson::outline).toList();
    Bodies.answer(ctx, 200, JSON.valueToTree(Map.of("lessons", outlines)));
  }

  /** {@code POST /lessons/NAME}: an event {@code step} for each step, and {@code end}. */
  public void give(Context ctx) throws IOException, InterruptedException {
    gate.requireAdmin(ctx);
    Lesson lesson =
        lessons.stream()
            .filter(each -> each.outline().name().equals(ctx.pathParam("name")))
            .findFirst()
            .orElseThrow(
                () ->
                    RequestException.of(404, "no_such_lesson", "there is no lesson of that name"));
    if (!room.tryAcquire()) {
      throw RequestException.of(429, "lesson_given", "another lesson is being given");
    }
    Given given = new Given(lesson);
    try {
      new Thread(given, "kv4j-lesson").start();
    } catch (OutOfMemoryError e) { // there may be no more threads
      room.release();
      throw e;
    }
    EventStream out = new EventStream(ctx);
    try {
      send(given, out);
    } catch (RequestException e) {
      if (!out.hasBegun()) {
        throw e;
      }
      out.event("error", "", StrictJson.write(e.json()));
    } finally {
      given.left = true;
    }
  }

  private static void send(Given given, EventStream out) throws IOException, InterruptedException {
    for (int number = 1; ; ) {
      Optional<LessonStep> step = given.steps.poll(SIGN_OF_LIFE_MS, TimeUnit.MILLISECONDS);
      if (step == null) {
        out.signOfLife();
      } else if (step.isPresent()) {
        String line = StrictJson.write(JSON.valueToTree(step.get()));
        out.event("step", Integer.toString(number++), line);
      } else if (given.refusal != null) {
        throw given.refusal;
      } else {
        out.event("end", Integer.toString(number), "{}");
        return;
      }
    }
  }

  /** A lesson on a thread of its own, so that its client hears of the server while it measures. */
  private final class Given implements Runnable {
    private final Lesson lesson;
    private final BlockingQueue<Optional<LessonStep>> steps =
        new LinkedBlockingQueue<>(); // empty: no more
    private volatile boolean left; // the client, or the lesson is over
    private volatile RequestException refusal;

    Given(Lesson lesson) {
      this.lesson = lesson;
    }

    @Override
    public void run() {
      try {
        lesson.give(model.classroom(), this::show);
      } catch (IllegalArgumentException e) {
        refusal = RequestException.of(400, "not_with_this_model", e.getMessage());
      } catch (IOException | RuntimeException | OutOfMemoryError e) {
        LOG.info("a lesson broke off", e);
        refusal = RequestException.of(500, "lesson_failed", "the lesson broke off");
      } finally {
        room.release();
        steps.add(Optional.empty());
      }
    }

    private void show(LessonStep step) throws IOException {
      if (left || closed) {
        throw new IOException(left ? "the client is gone" : "the server is shutting down");
      }
      steps.add(Optional.of(step));
    }
  }
}
