package kv4j.apps.facts;

import java.util.List;
import java.util.stream.Stream;

/**
 * Questions about one page of facts, whose names no training text has.
 *
 * @param page the system prompt
 * @param questions each to be asked right after the page
 * @param conversation to be asked one after the other
 */
public record Exam(String page, List<Turn> questions, List<Turn> conversation) {
  /**
   * How large exams are.
   *
   * @param facts on a page
   * @param others sentences on a page that are no facts
   * @param known questions for facts of the page
   * @param missing questions for what is not on the page
   * @param turns of the conversation
   */
  public record Size(int facts, int others, int known, int missing, int turns) {
    public Size {
      if (facts < 1 || others < 0 || known < 0 || missing < 0 || turns < 0) {
        throw new IllegalArgumentException("an exam needs a fact, and no number below 0");
      }
    }
  }

  /** The exam of a number among those of a seed. */
  public static Exam of(Size size, long seed, int number) {
    Draw draw = new Draw(seed << Integer.SIZE | number);
    Page page = Page.of(size.facts, size.others, Split.HELD_OUT, draw);
    Interview alone = new Interview(page, draw);
    Stream<Turn> known = Stream.generate(alone::direct).limit(size.known);
    Stream<Turn> missing = Stream.generate(alone::missing).limit(size.missing);
    List<Turn> questions = Stream.concat(known, missing).toList();
    Interview together = new Interview(page, draw);
    List<Turn> turns =
        Stream.generate(together::next)
            .filter(turn -> turn.form() != Turn.Form.SMALL_TALK)
            .limit(size.turns)
            .toList();
    return new Exam(page.text(), questions, turns);
  }
}
