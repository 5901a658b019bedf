package kv4j.cache.index;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import java.util.stream.Collectors;

/** Draws a {@link RadixTree} as text, one line for each node, indented by depth. */
final class TreePrinter<B> {
  private static final int WIDTH = 60;
  private static final int IDS_AT_EACH_END = 4;

  private final RadixTree<B> tree;
  private final Function<int[], String> decode;

  TreePrinter(RadixTree<B> tree, Function<int[], String> decode) {
    this.tree = tree;
    this.decode = decode;
  }

  private record Line<B>(Node<B> node, int depth) {}

  String print() {
    StringBuilder out = new StringBuilder();
    out.append(
        String.format(
            "%d blocks, %d of %d bytes, %d pinned%n",
            tree.accounts.entries, tree.accounts.bytes, tree.budget, tree.retention.pinnedBytes));
    for (Node<B> root : tree.roots.values()) {
      String namespace = root.space.namespace();
      out.append(namespace.isEmpty() ? "(default namespace)" : namespace).append('\n');
      Deque<Line<B>> pending = new ArrayDeque<>();
      pushChildren(pending, root, 1);
      while (!pending.isEmpty()) {
        Line<B> line = pending.pop();
        append(out, line);
        pushChildren(pending, line.node(), line.depth() + 1);
      }
    }
    return out.toString();
  }

  private void pushChildren(Deque<Line<B>> pending, Node<B> node, int depth) {
    List<Node<B>> children = new ArrayList<>(node.children.values());
    Collections.reverse(children);
    children.forEach(child -> pending.push(new Line<>(child, depth)));
  }

  private void append(StringBuilder out, Line<B> line) {
    Node<B> node = line.node();
    out.append("  ".repeat(line.depth()))
        .append(quote(decode.apply(node.tokens.clone())))
        .append(
            String.format(
                "  %d tokens, %d bytes, %d hits, %d s old",
                node.tokens.length,
                node.bytes,
                node.hits,
                TimeUnit.NANOSECONDS.toSeconds(tree.retention.age(node))));
    if (node.pins > 0) {
      out.append(", ").append(node.pins).append(node.pins == 1 ? " pin" : " pins");
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
  static String ids(int[] tokens) {
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
