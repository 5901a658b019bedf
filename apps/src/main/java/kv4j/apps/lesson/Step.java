package kv4j.apps.lesson;

import java.util.List;

/** A step of a lesson: what is on the screen before one goes on. */
public record Step(String title, List<Part> parts) {
  public Step {
    parts = List.copyOf(parts);
  }

  public Step(String title, Part... parts) {
    this(title, List.of(parts));
  }
}
