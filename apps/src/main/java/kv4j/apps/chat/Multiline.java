package kv4j.apps.chat;

/**
 * How a message of several lines is typed: a line that ends with a backslash goes on in the next,
 * and a message that begins with three quotation marks goes on to the next three at the end of a
 * line.
 */
final class Multiline {
  private static final String FENCE = "\"\"\"";

  private Multiline() {}

  /** Whether what was typed so far is a whole message. */
  static boolean isComplete(String typed) {
    if (isFenced(typed)) {
      String rest = typed.strip().substring(FENCE.length());
      return rest.endsWith(FENCE);
    }
    return !typed.endsWith("\\");
  }

  /** The message, without what joined its lines. */
  static String message(String typed) {
    if (!isComplete(typed)) {
      return typed;
    }
    if (isFenced(typed)) {
      String text = typed.strip();
      return text.substring(FENCE.length(), text.length() - FENCE.length())
          .replaceFirst("\\A\\R", "")
          .replaceFirst("\\R\\z", "");
    }
    return typed.replace("\\\n", "\n");
  }

  private static boolean isFenced(String typed) {
    return typed.stripLeading().startsWith(FENCE);
  }
}
