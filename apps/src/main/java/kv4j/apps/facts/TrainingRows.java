package kv4j.apps.facts;

import java.nio.ShortBuffer;
import kv4j.model.Tokenizer;

/**
 * Rows of tokens to train with, all of one length: a page and as many turns about it as fit. A
 * token is an unsigned 16-bit number, whose highest bit marks what the model has to say.
 *
 * @param length tokens in a row
 * @param facts most facts on a page
 * @param others most other sentences on a page
 */
record TrainingRows(int length, int facts, int others) {
  private static final int ANSWER = 1 << 15;
  private static final int FEWEST_SHARE = 6;
  private static final double STORIES = 0.02;
  private static final double NO_PAGE = 0.03;
  private static final double NO_FACTS = 0.02;
  private static final double LINE_END = 0.2;

  /**
   * Appends a row.
   *
   * @param split which names it may have
   */
  void write(Split split, Tokenizer tokenizer, Draw draw, ShortBuffer out) {
    short[] row = new short[length]; // zero is the token that fills up
    if (split == Split.TRAINING && draw.chance(STORIES)) {
      tellStories(tokenizer, draw, row);
    } else {
      converse(split, tokenizer, draw, row);
    }
    out.put(row);
  }

  /** Stories as plain texts, one after the other. */
  private static void tellStories(Tokenizer tokenizer, Draw draw, short[] row) {
    int at = 0;
    while (true) {
      String story = SmallTalk.story(draw).answer();
      int[] tokens =
          tokenizer.encodeWithSpecial(DemoTokenizer.BEGIN + story + DemoTokenizer.TURN_END);
      if (at + tokens.length > row.length) {
        return;
      }
      at = put(tokens, ANSWER, row, at);
    }
  }

  private void converse(Split split, Tokenizer tokenizer, Draw draw, short[] row) {
    Page page = page(split, draw);
    int[] head = tokenizer.encodeWithSpecial(head(page, draw));
    while (head.length > length * 3 / 4) {
      page = page(split, draw);
      head = tokenizer.encodeWithSpecial(head(page, draw));
    }
    int at = put(head, 0, row, 0);
    Interview interview = new Interview(page, draw);
    while (true) {
      Turn turn = interview.next();
      int[] question = tokenizer.encodeWithSpecial(question(turn));
      int[] answer = tokenizer.encodeWithSpecial(turn.answer() + DemoTokenizer.TURN_END);
      int[] end = tokenizer.encodeWithSpecial("\n");
      if (at + question.length + answer.length + end.length > length) {
        return;
      }
      at = put(question, 0, row, at);
      at = put(answer, ANSWER, row, at);
      at = put(end, 0, row, at);
    }
  }

  private Page page(Split split, Draw draw) {
    if (draw.chance(NO_PAGE)) {
      return Page.empty(split);
    }
    int fewest = Math.max(1, facts / FEWEST_SHARE);
    int count = draw.chance(NO_FACTS) ? 0 : draw.number(fewest, facts);
    return Page.of(count, draw.number(0, others), split, draw);
  }

  private static String head(Page page, Draw draw) {
    if (page.text().isEmpty()) {
      return DemoTokenizer.BEGIN;
    }
    String text = draw.chance(LINE_END) ? page.text() + "\n" : page.text();
    return DemoTokenizer.BEGIN + turn("system", text);
  }

  private static String question(Turn turn) {
    return turn("user", turn.question()) + DemoTokenizer.TURN_BEGIN + "assistant\n";
  }

  private static String turn(String role, String text) {
    return DemoTokenizer.TURN_BEGIN + role + "\n" + text + DemoTokenizer.TURN_END + "\n";
  }

  private static int put(int[] tokens, int mark, short[] row, int at) {
    for (int i = 0; i < tokens.length; i++) {
      row[at + i] = (short) (tokens[i] | mark);
    }
    return at + tokens.length;
  }
}
