package kv4j.model.jinja;

/**
 * What one rendering may use. A template is another's program, so its work, its depth and the size
 * of its values are limited. The budget belongs to the thread that renders; values spend from it
 * wherever they are compared, copied or printed.
 */
final class Budget {
  /** Most UTF-16 units of one text. */
  static final int LONGEST_TEXT = 1 << 24;

  private static final long MOST_STEPS = 40_000_000;
  private static final int DEEPEST = 150;
  private static final int UNITS_PER_STEP = 8;
  private static final ThreadLocal<Budget> CURRENT = ThreadLocal.withInitial(Budget::new);

  private long steps;
  private int depth;

  private Budget() {}

  /** Starts anew on this thread. */
  static void begin() {
    CURRENT.set(new Budget());
  }

  /** Forgets this thread's budget. */
  static void end() {
    CURRENT.remove();
  }

  static void spend(long steps) {
    Budget budget = CURRENT.get();
    budget.steps += steps;
    if (budget.steps > MOST_STEPS) {
      throw JinjaException.refused("it takes more than " + MOST_STEPS + " steps");
    }
  }

  /** Pays for a new text of so many UTF-16 units, before it is made. */
  static void spendText(long units) {
    if (units > LONGEST_TEXT) {
      throw JinjaException.refused("it makes a text of more than " + LONGEST_TEXT + " characters");
    }
    spend(units / UNITS_PER_STEP);
  }

  static void enter() {
    if (++CURRENT.get().depth > DEEPEST) {
      throw JinjaException.refused("its calls are nested more than " + DEEPEST + " deep");
    }
  }

  static void leave() {
    CURRENT.get().depth--;
  }
}
