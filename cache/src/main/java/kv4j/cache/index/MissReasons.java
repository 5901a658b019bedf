package kv4j.cache.index;

import kv4j.cache.Lookup;
import kv4j.cache.Lookup.Reason;

/** Says why a lookup did not find more. */
final class MissReasons<B> {
  /** Most spaces looked at to explain a miss, so that its cost does not grow with their number. */
  private static final int SPACES_ASKED = 64;

  private final RadixTree<B> tree;

  MissReasons(RadixTree<B> tree) {
    this.tree = tree;
  }

  Lookup explain(Node<B> root, int[] prompt, RadixTree.Place<B> found) {
    int at = found.at();
    if (at == prompt.length - 1) {
      return new Lookup(prompt.length, at, Reason.FULL, "");
    }
    Reason forgotten = whyForgotten(root, prompt, at);
    if (forgotten != null) {
      return new Lookup(prompt.length, at, forgotten, "from token " + at + " on");
    }
    if (isStoredElsewhere(root.space, prompt, at)) {
      return new Lookup(prompt.length, at, Reason.OTHER_NAMESPACE, "from token " + at + " on");
    }
    if (at == 0) {
      return new Lookup(prompt.length, 0, Reason.COLD, "");
    }
    Node<B> node = found.node();
    if (at == node.end() && node.isLeaf()) {
      return new Lookup(prompt.length, at, Reason.END_OF_STORED, "from token " + at + " on");
    }
    int stored = at < node.end() ? node.tokens[at - node.start] : node.anyChild().tokens[0];
    String detail = "at token " + at + ": " + prompt[at] + " here, " + stored + " stored";
    return new Lookup(prompt.length, at, Reason.DIVERGED, detail);
  }

  /**
   * Why a run of the prompt's next tokens, up to the end of their block, is not stored any more.
   */
  private Reason whyForgotten(Node<B> root, int[] prompt, int at) {
    int blockEnd = (at / tree.blockTokens + 1) * tree.blockTokens;
    long hash = Forgotten.hash(root.startHash, prompt, 0, at);
    for (int i = at; i < Math.min(prompt.length, blockEnd); i++) {
      hash = Forgotten.hash(hash, prompt, i, i + 1);
      Reason reason = tree.forgotten.get(hash);
      if (reason != null) {
        return reason;
      }
    }
    return null;
  }

  /** Whether another space that may be spoken of has at least one block more of a prompt. */
  private boolean isStoredElsewhere(Space space, int[] prompt, int at) {
    if (space.isSalted()) {
      return false;
    }
    int limit = prompt.length - 1;
    return tree.roots.values().stream()
        .limit(SPACES_ASKED)
        .filter(root -> !root.space.equals(space) && !root.space.isSalted())
        .toList() // following may remove what has expired, and with it a root
        .stream()
        .mapToInt(root -> tree.follow(root, prompt, limit).at())
        .anyMatch(other -> other >= Math.min(limit, at + tree.blockTokens));
  }
}
