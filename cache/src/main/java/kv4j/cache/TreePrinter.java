package kv4j.cache;

import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import java.util.function.Function;
import java.util.stream.Collectors;

/** Draws a {@link TreeSnapshot} as text: a line for each run of tokens, indented by depth. */
public final class TreePrinter {
  private static final int WIDTH = 60;
  private static final int IDS_AT_EACH_END = 4;

  private TreePrinter() {}

  /**
   * @param decode makes text of token ids
   */
  public static String print(TreeSnapshot tree, Function<int[], String> decode) {
    StringBuilder out = new StringBuilder();
    CacheStats.Storage storage = tree.storage();
    out.append(
        String.format(
            "%d blocks, %d of %d bytes, %d pinned%n",
            storage.entries(), storage.bytes(), tree.maxBytes(), storage.pinnedBytes()));
    Map<Long, Integer> depths = new HashMap<>(Map.of(0L, 0));
    TreeSnapshot.Run last = null;
    for (TreeSnapshot.Run run : tree.runs()) {
      if (run.parent() == 0 && (last == null || !isOfOneTree(last, run))) {
        String namespace = run.namespace();
        out.append(namespace.isEmpty() ? "(default namespace)" : namespace)
            .append(run.salted() ? " (salted)\n" : "\n");
      }
      int depth = depths.get(run.parent()) + 1;
      depths.put(run.id(), depth);
      append(out, run, depth, decode);
      last = run;
    }
    return out.toString();
  }

  private static boolean isOfOneTree(TreeSnapshot.Run one, TreeSnapshot.Run other) {
    return one.namespace().equals(other.namespace())
        && one.model().equals(other.model())
        && one.salted() == other.salted();
  }

  private static void append(
      StringBuilder out, TreeSnapshot.Run run, int depth, Function<int[], String> decode) {
    out.append("  ".repeat(depth))
        .append(quote(decode.apply(run.tokens().clone())))
        .append(
            String.format(
                "  %d tokens, %d bytes, %d hits, %d s old",
                run.tokens().length, run.bytes(), run.hits(), run.age().toSeconds()));
    if (run.pins() > 0) {
      out.append(", ").append(run.pins()).append(run.pins() == 1 ? " pin" : " pins");
    }
    out.append('\n');
  }

  /** Text on one line, the middle left out if it is long. */
  private static String quote(String text) {
    String line = text.replace("\r", "").replace("\n", "\\n");
    int half = WIDTH / 2;
    return line.length() <= WIDTH
        ? line
        : line.substring(0, half) + " … " + line.substring(line.length() - half);
  }

  /** Token ids in place of text. */
  public static String ids(int[] tokens) {
    int shown = IDS_AT_EACH_END;
    if (tokens.length <= 2 * shown + 1) {
      return join(tokens, 0, tokens.length);
    }
    return join(tokens, 0, shown) + " … " + join(tokens, tokens.length - shown, tokens.length);
  }

  private static String join(int[] tokens, int from, int to) {
    return Arrays.stream(tokens, from, to)
        .mapToObj(Integer::toString)
        .collect(Collectors.joining(" "));
  }
}
