package kv4j.apps.lesson;

import java.util.List;
import java.util.Optional;

/** All lessons, in the order in which they build on each other. */
public final class Lessons {
  public static final List<Lesson> ALL =
      List.of(
          new AttentionLesson(),
          new DecodeLesson(),
          new PrefixLesson(),
          new BreakersLesson(),
          new EvictionLesson(),
          new BitsLesson(),
          new FaultLesson());

  private Lessons() {}

  /** Their names. */
  public static List<String> names() {
    return ALL.stream().map(lesson -> lesson.outline().name()).toList();
  }

  /** The lesson of a name. */
  public static Optional<Lesson> find(String name) {
    return ALL.stream().filter(lesson -> lesson.outline().name().equals(name)).findFirst();
  }
}
