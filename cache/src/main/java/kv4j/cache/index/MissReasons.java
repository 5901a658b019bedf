package kv4j.cache.index;

import java.util.ArrayList;
import java.util.List;
import kv4j.cache.Lookup;
import kv4j.cache.Lookup.Reason;

/** Says why a lookup did not find more. Each method is one short operation on the tree. */
final class MissReasons<B> {
  /** Most spaces looked at to explain a miss, so that its cost does not grow with their number. */
  private static final int SPACES_ASKED = 64;

  /** Most stored tokens that a diverging lookup shows. */
  private static final int STORED_SHOWN = 8;

  private final RadixTree<B> tree;

  MissReasons(RadixTree<B> tree) {
    this.tree = tree;
  }

  /** What the lookup's own tree tells. */
  Lookup explain(Node<B> root, int[] prompt, RadixTree.Place<B> found) {
    int at = found.at();
    if (at == prompt.length - 1) {
      return new Lookup(prompt.length, at, Reason.FULL, "");
    }
    Reason forgotten = whyForgotten(root, prompt, at);
    if (forgotten != null) {
      return from(at, prompt, forgotten);
    }
    if (at == 0) {
      return new Lookup(prompt.length, 0, Reason.COLD, "");
    }
    Node<B> node = found.node();
    if (at == node.end() && node.isLeaf()) {
      return from(at, prompt, Reason.END_OF_STORED);
    }
    List<Integer> stored = after(node, at);
    String detail = "at token " + at + ": " + prompt[at] + " here, " + stored.get(0) + " stored";
    return new Lookup(prompt.length, at, Reason.DIVERGED, detail, stored);
  }

  /** Tokens from a position on, of a run and of one that follows it; at least one. */
  private List<Integer> after(Node<B> node, int at) {
    List<Integer> tokens = new ArrayList<>();
    Node<B> run = node;
    for (int i = at; tokens.size() < STORED_SHOWN; i++) {
      if (i == run.end() && run.isLeaf()) {
        return tokens;
      }
      run = i == run.end() ? run.anyChild() : run;
      tokens.add(run.tokens[i - run.start]);
    }
    return tokens;
  }

  private static Lookup from(int at, int[] prompt, Reason reason) {
    return new Lookup(prompt.length, at, reason, "from token " + at + " on");
  }

  /**
   * Why a run of the prompt's next tokens, up to the end of their block, is not stored any more.
   */
  private Reason whyForgotten(Node<B> root, int[] prompt, int at) {
    int blockEnd = (at / tree.blockTokens + 1) * tree.blockTokens;
    long hash = AbsenceReasons.hash(root.startHash, prompt, 0, at);
    for (int i = at; i < Math.min(prompt.length, blockEnd); i++) {
      hash = AbsenceReasons.hash(hash, prompt, i, i + 1);
      Reason reason = tree.absences.get(hash);
      if (reason != null) {
        return reason;
      }
    }
    return null;
  }

  /**
   * Other spaces in which to look for more of a prompt. There are none if {@link #explain} has
   * found the reason already, or if the space is salted; and salted spaces are never among them.
   */
  List<Keyspace> spacesToAsk(Keyspace space, Lookup.Reason reason) {
    boolean unknown =
        reason == Reason.COLD || reason == Reason.END_OF_STORED || reason == Reason.DIVERGED;
    if (!unknown || space.isSalted()) {
      return List.of();
    }
    return tree.roots.keySet().stream()
        .limit(SPACES_ASKED)
        .filter(other -> !other.equals(space) && !other.isSalted())
        .toList();
  }

  /** What a lookup is told if another space has at least one block more of its prompt, or null. */
  Lookup elsewhere(Keyspace other, int[] prompt, int at) {
    Node<B> root = tree.roots.get(other);
    int limit = prompt.length - 1;
    int enough = Math.min(limit, at + tree.blockTokens);
    return root != null && tree.follow(root, prompt, limit).at() >= enough
        ? from(at, prompt, Reason.OTHER_NAMESPACE)
        : null;
  }
}
