package kv4j.apps.eval;

import static kv4j.apps.report.TextPage.left;
import static kv4j.apps.report.TextPage.right;

import java.util.List;
import kv4j.apps.facts.Exam;
import kv4j.apps.facts.Turn;
import kv4j.apps.report.Format;
import kv4j.apps.report.TextPage;

/**
 * How well a model answered.
 *
 * @param pages how many there were, of the size and by the seed that follow
 * @param cache what kept keys and values
 * @param promptTokens tokens of all prompts
 * @param cachedTokens how many of these were cached
 * @param seconds that it took
 */
public record EvalReport(
    String model,
    int pages,
    Exam.Size size,
    long seed,
    String cache,
    List<Row> rows,
    long promptTokens,
    long cachedTokens,
    double seconds) {

  /**
   * Questions of one form.
   *
   * @param inConversation whether other turns came before
   */
  public record Row(Turn.Form form, boolean inConversation, long right, long asked) {
    static Row of(Turn.Form form, boolean inConversation, List<Answer> answers) {
      List<Answer> own =
          answers.stream()
              .filter(answer -> answer.inConversation() == inConversation)
              .filter(answer -> answer.turn().form() == form)
              .toList();
      long right = own.stream().filter(Answer::right).count();
      return new Row(form, inConversation, right, own.size());
    }

    private String question() {
      String what =
          switch (form) {
            case DIRECT -> "a fact, by name";
            case FOLLOW_UP -> "a fact, by reference to the last turn";
            case MISSING -> "what the page does not say";
            case SMALL_TALK -> "no question";
          };
      return (inConversation ? "in a conversation: " : "right after the page: ") + what;
    }

    private String share() {
      return Format.percent((double) right / asked);
    }
  }

  /** Rows for the forms that exams have. */
  public static List<Row> rows(List<Answer> answers) {
    return List.of(
        Row.of(Turn.Form.DIRECT, false, answers),
        Row.of(Turn.Form.MISSING, false, answers),
        Row.of(Turn.Form.DIRECT, true, answers),
        Row.of(Turn.Form.FOLLOW_UP, true, answers),
        Row.of(Turn.Form.MISSING, true, answers));
  }

  /** For people. */
  public String text() {
    TextPage page = new TextPage();
    page.paragraph(
        "%s: %d pages of %d facts and %d other sentences, seed %d, cache %s"
            .formatted(model, pages, size.facts(), size.others(), seed, cache));
    page.table(
        rows,
        List.of(
            left("question", Row::question),
            right("right", row -> Long.toString(row.right())),
            right("of", row -> Long.toString(row.asked())),
            right("share", Row::share)));
    page.line(
        "An answer is right if it is the expected one, letter by letter. %s prompt tokens, %s of them cached; %s s"
            .formatted(
                Format.number(promptTokens),
                Format.percent((double) cachedTokens / promptTokens),
                Format.number(seconds)));
    return page.toString();
  }
}
