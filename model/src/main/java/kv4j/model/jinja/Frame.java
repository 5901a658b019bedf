package kv4j.model.jinja;

import java.util.HashMap;
import java.util.Map;

/** A scope of variables, and where what is rendered in it goes. */
final class Frame {
  private final Frame parent;
  private final Map<String, Object> variables = new HashMap<>();
  private final StringBuilder out;

  private Frame(Frame parent, StringBuilder out) {
    this.parent = parent;
    this.out = out;
  }

  static Frame root() {
    return new Frame(null, new StringBuilder());
  }

  /** A scope within this one, rendered to the same place. */
  Frame inner() {
    return new Frame(this, out);
  }

  /** A scope within this one, rendered to a text of its own. */
  Frame capture() {
    return new Frame(this, new StringBuilder());
  }

  /** The outermost scope that a template writes to. */
  Frame template() {
    Frame frame = this;
    while (frame.parent.parent != null) {
      frame = frame.parent;
    }
    return frame;
  }

  Object get(String name) {
    for (Frame frame = this; frame != null; frame = frame.parent) {
      Object value = frame.variables.get(name);
      if (value != null || frame.variables.containsKey(name)) {
        return value;
      }
    }
    return Undefined.name(name);
  }

  void set(String name, Object value) {
    variables.put(name, value);
  }

  void print(String text) {
    Budget.spendText(
        (long) out.length() + text.length() > Budget.LONGEST_TEXT ? Long.MAX_VALUE : text.length());
    out.append(text);
  }

  String output() {
    return out.toString();
  }
}
