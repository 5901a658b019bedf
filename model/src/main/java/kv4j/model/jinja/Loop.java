package kv4j.model.jinja;

import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.function.BiFunction;

/** What a template calls {@code loop}: where a for loop stands. It looks ahead only if asked. */
final class Loop implements Callable {
  private final int depth;
  private final BiFunction<Object, Integer, String> recursion;
  private Iterator<Object> items;
  private int length;
  private int index = -1;
  private Object previous = Lookup.ABSENT;
  private Object current = Lookup.ABSENT;
  private Object next = Lookup.ABSENT;
  private Object lastChanged = Lookup.ABSENT;

  /**
   * @param length how many items there are; negative if that is known only by going through them
   * @param depth how many loops of this statement it is in
   * @param recursion renders the loop over other items, one deeper; null if it is not recursive
   */
  Loop(
      Iterator<Object> items,
      int length,
      int depth,
      BiFunction<Object, Integer, String> recursion) {
    this.items = items;
    this.length = length;
    this.depth = depth;
    this.recursion = recursion;
  }

  boolean advance() {
    Object following = peek();
    if (following == Lookup.ABSENT) {
      return false;
    }
    next = Lookup.ABSENT;
    index++;
    previous = current;
    current = following;
    return true;
  }

  Object current() {
    return current;
  }

  private Object peek() {
    if (next == Lookup.ABSENT && items.hasNext()) {
      next = items.next();
    }
    return next;
  }

  int length() {
    if (length < 0) {
      List<Object> rest = new ArrayList<>();
      items.forEachRemaining(rest::add);
      items = rest.iterator();
      length = rest.size() + index + 1 + (next == Lookup.ABSENT ? 0 : 1);
    }
    return length;
  }

  @Override
  public Object call(Arguments arguments) {
    if (recursion == null) {
      throw JinjaException.failure(
          "the loop must have the 'recursive' marker to be called recursively");
    }
    return recursion.apply(arguments.bind("loop", 1, "iterable")[0], depth + 1);
  }

  @Override
  public String typeName() {
    return "LoopContext";
  }

  @Override
  public Object attribute(String name) {
    return switch (name) {
      case "index0" -> Values.integer(index);
      case "index" -> Values.integer(index + 1);
      case "revindex0" -> Values.integer(length() - index - 1);
      case "revindex" -> Values.integer(length() - index);
      case "first" -> index == 0;
      case "last" -> peek() == Lookup.ABSENT;
      case "length" -> Values.integer(length());
      case "depth0" -> Values.integer(depth);
      case "depth" -> Values.integer(depth + 1);
      case "previtem" -> index == 0 ? new Undefined("there is no previous item") : previous;
      case "nextitem" -> peek() == Lookup.ABSENT ? new Undefined("there is no next item") : next;
      case "cycle" -> (Callable) this::cycle;
      case "changed" -> (Callable) this::changed;
      default -> Lookup.ABSENT;
    };
  }

  private Object cycle(Arguments arguments) {
    List<Object> values = arguments.only("cycle", 0, Integer.MAX_VALUE);
    if (values.isEmpty()) {
      throw JinjaException.failure("no items for cycling given");
    }
    return values.get(index % values.size());
  }

  private Object changed(Arguments arguments) {
    Tuple values = new Tuple(arguments.only("changed", 0, Integer.MAX_VALUE));
    boolean changed = lastChanged == Lookup.ABSENT || !Values.equal(lastChanged, values);
    lastChanged = values;
    return changed;
  }

  @Override
  public String repr() {
    return "<LoopContext " + (index + 1) + "/" + length() + ">";
  }

  @Override
  public boolean truth() {
    return length() > 0;
  }
}
