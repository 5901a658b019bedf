package kv4j.inference.plan.graph;

import java.util.ArrayList;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Set;
import java.util.function.Function;

/** Orders things by what they depend on. */
final class Dependencies {
  private Dependencies() {}

  /**
   * Everything that {@code last} depends on, and itself at the end, each after its own
   * dependencies. Depth first, without recursion: a deep graph would overflow the stack.
   */
  static <T> List<T> order(T last, Function<T, List<T>> dependencies) {
    List<T> ordered = new ArrayList<>();
    Set<T> done = Collections.newSetFromMap(new IdentityHashMap<>());
    List<T> stack = new ArrayList<>(List.of(last));
    while (!stack.isEmpty()) {
      T top = stack.get(stack.size() - 1);
      if (done.contains(top)) {
        stack.remove(stack.size() - 1);
        continue;
      }
      List<T> waiting =
          dependencies.apply(top).stream().filter(other -> !done.contains(other)).toList();
      if (waiting.isEmpty()) {
        done.add(top);
        ordered.add(top);
      } else {
        for (int i = waiting.size() - 1; i >= 0; i--) {
          stack.add(waiting.get(i));
        }
      }
    }
    return ordered;
  }
}
