package kv4j.apps.lesson;

import java.io.IOException;

/** A lesson. What it shows is computed while it is given. */
public interface Lesson {
  /**
   * What one should understand, and be able to answer, at the end.
   *
   * @param name to ask for it by: lower-case letters
   * @param title of a few words
   * @param goal what one should understand at its end
   * @param question that one can answer by running something
   * @param command that answers it
   */
  record Outline(String name, String title, String goal, String question, String command) {}

  /** Takes the steps, one after another. */
  @FunctionalInterface
  interface Audience {
    /**
     * @throws IOException if nobody is there any more, which ends the lesson
     */
    void show(LessonStep step) throws IOException;
  }

  /** What it is about. */
  Outline outline();

  /**
   * Gives it.
   *
   * @throws IllegalArgumentException with one sentence if it cannot be given with this model
   * @throws IOException as the audience does
   */
  void give(Classroom room, Audience audience) throws IOException;
}
