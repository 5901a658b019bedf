package kv4j.apps.lesson;

import java.util.List;

/** A step of a lesson: what is on the screen before one goes on. */
public record LessonStep(String title, List<LessonPart> parts) {
  public LessonStep {
    parts = List.copyOf(parts);
  }

  public LessonStep(String title, LessonPart... parts) {
    this(title, List.of(parts));
  }
}
