package kv4j.apps.serve.admin;

import com.fasterxml.jackson.databind.ObjectMapper;
import io.javalin.http.Context;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Semaphore;
import kv4j.apps.lesson.Lesson;
import kv4j.apps.serve.host.ServedModel;
import kv4j.apps.serve.http.Bodies;
import kv4j.apps.serve.http.EventStream;
import kv4j.apps.serve.http.Gate;
import kv4j.apps.serve.openai.RequestException;
import kv4j.apps.serve.openai.StrictJson;

/**
 * Gives lessons on the model that is served, one at a time. They have caches of their own, and take
 * turns with requests, pass by pass.
 */
public final class LessonRoutes {
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
  public void give(Context ctx) throws IOException {
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
    try {
      give(lesson, new EventStream(ctx));
    } finally {
      room.release();
    }
  }

  private static void refuse(EventStream out, RequestException e) throws IOException {
    if (!out.hasBegun()) {
      throw e;
    }
    out.event("error", "", StrictJson.write(e.json()));
  }

  private void give(Lesson lesson, EventStream out) throws IOException {
    int[] steps = {0};
    try {
      lesson.give(
          model.classroom(),
          step -> {
            if (closed) {
              throw RequestException.of(503, "shutting_down", "the server is shutting down");
            }
            String line = StrictJson.write(JSON.valueToTree(step));
            out.event("step", Integer.toString(++steps[0]), line);
          });
      out.event("end", Integer.toString(steps[0]), "{}");
    } catch (IllegalArgumentException e) {
      refuse(out, RequestException.of(400, "not_with_this_model", e.getMessage()));
    } catch (RequestException e) {
      refuse(out, e);
    }
  }
}
