package kv4j.cache.index;

import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import kv4j.cache.TreeSnapshot;

/**
 * An edge of a {@link RadixTree} and the point where it ends. Positions count from the beginning of
 * the sequence. All blocks of a node share its times, hits and pins: where these come to differ,
 * the node is split.
 */
final class Node<B> {
  final long id; // 0 for a root
  final Keyspace space;
  Node<B> parent; // null for a root
  int start; // position of the first token, the parent's end
  int[] tokens; // replaced, never modified
  final ArrayList<B> blocks =
      new ArrayList<>(0); // consecutive, the first is the one that `start` falls in
  long bytes; // of the blocks
  String label = ""; // of the request that computed them
  long startHash; // of all tokens before `start`
  Map<Integer, Node<B>> children = Map.of(); // by first token, in order of insertion
  int pins; // of this node or one below
  long inserted;
  long used;
  long hits;
  long time; // of insertion or of the last use, on the ticker's scale
  long rank; // the policy's, as of when the node was last attached

  Node(long id, Keyspace space, Node<B> parent, int start, int[] tokens) {
    this.id = id;
    this.space = space;
    this.parent = parent;
    this.start = start;
    this.tokens = tokens;
  }

  int end() {
    return start + tokens.length;
  }

  boolean isLeaf() {
    return children.isEmpty();
  }

  void putChild(Node<B> child) {
    if (children.isEmpty()) {
      children = new LinkedHashMap<>(2);
    }
    children.put(child.tokens[0], child);
  }

  void removeChild(Node<B> child) {
    children.remove(child.tokens[0]);
    if (children.isEmpty()) {
      children = Map.of();
    }
  }

  /** The child inserted first. */
  Node<B> anyChild() {
    return children.values().iterator().next();
  }

  /**
   * @param age in nanoseconds
   */
  TreeSnapshot.Run snapshot(long age) {
    return new TreeSnapshot.Run(
        id,
        parent.id,
        space.namespace(),
        space.model(),
        space.isSalted(),
        start,
        tokens,
        blocks.size(),
        bytes,
        pins,
        hits,
        Duration.ofNanos(age),
        label);
  }

  /** The blocks of this node and all above it, in order. */
  List<B> blocksFromRoot() {
    Deque<Node<B>> nodes = new ArrayDeque<>();
    for (Node<B> node = this; node != null; node = node.parent) {
      nodes.push(node);
    }
    List<B> all = new ArrayList<>();
    nodes.forEach(node -> all.addAll(node.blocks));
    return all;
  }
}
