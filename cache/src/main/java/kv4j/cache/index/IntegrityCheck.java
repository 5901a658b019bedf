package kv4j.cache.index;

import java.util.ArrayDeque;
import java.util.Collections;
import java.util.Deque;
import java.util.IdentityHashMap;
import java.util.Map;
import java.util.Set;

/** Counts again everything that a {@link RadixTree} keeps a running total of, and compares. */
final class IntegrityCheck<B> {
  private final RadixTree<B> tree;
  private final Set<Node<B>> seen = Collections.newSetFromMap(new IdentityHashMap<>());
  private final Set<B> blocks = Collections.newSetFromMap(new IdentityHashMap<>());
  private long bytes;
  private long pinnedBytes;
  private int rootPins;
  private int evictable;
  private int expiring;

  IntegrityCheck(RadixTree<B> tree) {
    this.tree = tree;
  }

  void check(int openPins) {
    tree.roots.forEach(
        (space, root) -> {
          require(root.space.equals(space), root, "is filed under another space");
          require(root.parent == null && root.end() == 0, root, "is no root");
          require(root.pins > 0 || !root.isLeaf(), root, "is empty and should be gone");
          rootPins += root.pins;
          walk(root);
        });
    require(rootPins == openPins, null, rootPins + " pins for " + openPins + " open");
    require(
        blocks.size() == tree.journal.entries,
        null,
        blocks.size() + " blocks, not " + tree.journal.entries);
    require(bytes == tree.journal.bytes, null, bytes + " bytes, not " + tree.journal.bytes);
    require(
        pinnedBytes == tree.queue.pinnedBytes,
        null,
        pinnedBytes + " pinned, not " + tree.queue.pinnedBytes);
    require(
        tree.room() >= 0 && tree.reserved >= 0 && bytes <= tree.journal.peakBytes,
        null,
        bytes + " bytes are too many");
    long removed = tree.journal.removed.values().stream().mapToLong(Long::longValue).sum();
    require(
        tree.journal.inserted - removed == tree.journal.entries,
        null,
        "inserted - removed is not kept");
    require(
        evictable == tree.queue.evictable.size(), null, "others than leaves are up for eviction");
    require(
        expiring == tree.queue.expiring.size(), null, "others than unpinned nodes are to expire");
  }

  private void walk(Node<B> root) {
    Deque<Node<B>> pending = new ArrayDeque<>();
    pending.push(root);
    while (!pending.isEmpty()) {
      Node<B> node = pending.pop();
      require(seen.add(node), node, "is reached twice");
      if (node != root) {
        checkNode(node);
      }
      int pinsBelow = 0;
      for (Map.Entry<Integer, Node<B>> entry : node.children.entrySet()) {
        Node<B> child = entry.getValue();
        require(child.parent == node, child, "has another parent");
        require(child.start == node.end(), child, "does not begin where its parent ends");
        require(child.tokens.length > 0, child, "is empty");
        require(child.tokens[0] == entry.getKey(), child, "is filed under another token");
        require(child.space == node.space, child, "is in another space");
        require(
            child.startHash == tree.hashTo(node, node.end()), child, "has another prefix's hash");
        pinsBelow += child.pins;
        pending.push(child);
      }
      require(node.pins >= pinsBelow, node, "is pinned less than what is below it");
      require(
          node.pins == pinsBelow || node.end() % tree.blockTokens == 0,
          node,
          "is pinned inside a block");
    }
  }

  private void checkNode(Node<B> node) {
    int first = node.start / tree.blockTokens;
    int whole = node.end() / tree.blockTokens - first;
    boolean tail = node.isLeaf() && node.end() % tree.blockTokens != 0;
    require(node.blocks.size() == whole + (tail ? 1 : 0), node, "owns the wrong blocks");
    require(!node.isLeaf() || !node.blocks.isEmpty(), node, "is a leaf without a block");
    for (B block : node.blocks) {
      require(block != null && blocks.add(block), node, "shares a block or has none");
    }
    require(node.bytes == tree.weigh(node.blocks), node, "weighs something else");
    boolean bare = node.parent.blocks.isEmpty();
    require(bare || node.parent.used >= node.used, node, "was used without its parent");
    bytes += node.bytes;
    pinnedBytes += node.pins > 0 ? node.bytes : 0;
    if (tree.queue.isEvictable(node)) {
      evictable++;
      require(tree.queue.evictable.contains(node), node, "is not up for eviction");
    }
    if (tree.queue.mayExpire(node)) {
      expiring++;
      require(tree.queue.expiring.contains(node), node, "is not up for expiry");
    }
  }

  private void require(boolean condition, Node<B> node, String problem) {
    if (!condition) {
      String where = node == null ? "" : "node at " + node.start + " to " + node.end() + " ";
      throw new IllegalStateException(where + problem);
    }
  }
}
