package kv4j.apps.workload;

/**
 * How many questions got the right answer, letter by letter.
 *
 * @param asked questions whose right answer the workload has; its others count for nothing
 * @param right those that got it
 */
public record Answers(int asked, int right) {
  public Answers {
    if (right < 0 || right > asked) {
      throw new IllegalArgumentException(right + " of " + asked + " answers cannot be right");
    }
  }

  @Override
  public String toString() {
    return right + " of " + asked;
  }
}
