package kv4j.model.jinja;

import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.NoSuchElementException;

/** What renders something, or changes a variable. */
sealed interface Statement {
  /** How a statement ends: going on, or leaving the loop or one round of it. */
  enum Flow {
    NEXT,
    BREAK,
    CONTINUE
  }

  /** Its line in the template. */
  int line();

  Flow run(Frame frame);

  static Flow runAll(List<Statement> statements, Frame frame) {
    for (Statement statement : statements) {
      try {
        Budget.spend(1);
        Flow flow = statement.run(frame);
        if (flow != Flow.NEXT) {
          return flow;
        }
      } catch (JinjaException e) {
        throw e.at(statement.line());
      }
    }
    return Flow.NEXT;
  }

  /** What a block was made into, which must be a text. */
  private static String rendered(Object value) {
    if (Text.of(value) == null) {
      throw JinjaException.failure(
          "a block is made into a text, not a value of type " + Values.typeName(value));
    }
    return Text.of(value);
  }

  record Data(int line, String text) implements Statement {
    @Override
    public Flow run(Frame frame) {
      frame.print(text);
      return Flow.NEXT;
    }
  }

  record Print(int line, Expression value) implements Statement {
    @Override
    public Flow run(Frame frame) {
      frame.print(Printer.str(value.evaluate(frame)));
      return Flow.NEXT;
    }
  }

  /** What a value is assigned to. */
  sealed interface Target {
    void assign(Frame frame, Object value);

    /** What is assigned to it. */
    Object value(Frame frame);
  }

  record Variable(String name) implements Target {
    @Override
    public void assign(Frame frame, Object value) {
      frame.set(name, value);
    }

    @Override
    public Object value(Frame frame) {
      return frame.get(name);
    }
  }

  record Member(String namespace, String name) implements Target {
    @Override
    public void assign(Frame frame, Object value) {
      if (!(frame.get(namespace) instanceof Namespace object)) {
        throw JinjaException.failure("cannot assign attribute on non-namespace object");
      }
      object.attributes().put(name, value);
    }

    @Override
    public Object value(Frame frame) {
      return Lookup.attribute(frame.get(namespace), name);
    }
  }

  record Unpacked(List<Target> targets) implements Target {
    @Override
    public void assign(Frame frame, Object value) {
      if (!Values.isIterable(value)) {
        throw JinjaException.failure(
            "cannot unpack non-iterable " + Values.typeName(value) + " object");
      }
      List<Object> items = new ArrayList<>();
      Iterator<Object> all = Values.iterate(value);
      while (all.hasNext() && items.size() <= targets.size()) {
        items.add(all.next());
      }
      if (items.size() != targets.size()) {
        throw JinjaException.failure(
            items.size() > targets.size()
                ? "too many values to unpack (expected " + targets.size() + ")"
                : "not enough values to unpack (expected "
                    + targets.size()
                    + ", got "
                    + items.size()
                    + ")");
      }
      for (int i = 0; i < items.size(); i++) {
        targets.get(i).assign(frame, items.get(i));
      }
    }

    @Override
    public Object value(Frame frame) {
      List<Object> values = new ArrayList<>();
      targets.forEach(target -> values.add(target.value(frame)));
      return new Tuple(values);
    }
  }

  record Set(int line, Target target, Expression value) implements Statement {
    @Override
    public Flow run(Frame frame) {
      target.assign(frame, value.evaluate(frame));
      return Flow.NEXT;
    }
  }

  /** A filter that a block goes through. */
  record BlockFilter(String name, Expression.Given arguments) {
    static Object apply(List<BlockFilter> filters, String text, Frame frame) {
      Object value = text;
      for (BlockFilter filter : filters) {
        value = Filters.named(filter.name()).apply(value, filter.arguments().evaluate(frame));
      }
      return value;
    }
  }

  record SetBlock(int line, Target target, List<BlockFilter> filters, List<Statement> body)
      implements Statement {
    @Override
    public Flow run(Frame frame) {
      Frame inner = frame.capture();
      Flow flow = runAll(body, inner);
      if (flow == Flow.NEXT) {
        target.assign(frame, BlockFilter.apply(filters, inner.output(), inner));
      }
      return flow;
    }
  }

  record FilterBlock(int line, List<BlockFilter> filters, List<Statement> body)
      implements Statement {
    @Override
    public Flow run(Frame frame) {
      Frame inner = frame.capture();
      Flow flow = runAll(body, inner);
      if (flow == Flow.NEXT) {
        frame.print(rendered(BlockFilter.apply(filters, inner.output(), inner)));
      }
      return flow;
    }
  }

  record Branch(Expression test, List<Statement> body) {}

  record If(int line, List<Branch> branches, List<Statement> otherwise) implements Statement {
    @Override
    public Flow run(Frame frame) {
      for (Branch branch : branches) {
        if (Values.truth(branch.test().evaluate(frame))) {
          return runAll(branch.body(), frame);
        }
      }
      return runAll(otherwise, frame);
    }
  }

  /**
   * @param filter which items count; null: all
   * @param otherwise what is rendered if no round was gone through to its end
   */
  record For(
      int line,
      Target target,
      Expression items,
      Expression filter,
      boolean recursive,
      List<Statement> body,
      List<Statement> otherwise)
      implements Statement {
    @Override
    public Flow run(Frame frame) {
      Object values = items.evaluate(frame);
      if (!recursive) {
        return run(frame, values, 0);
      }
      frame.print(recurse(frame, values, 0));
      return Flow.NEXT;
    }

    private String recurse(Frame frame, Object values, int depth) {
      Budget.enter();
      Frame inner = frame.capture();
      run(inner, values, depth);
      Budget.leave();
      return inner.output();
    }

    private Flow run(Frame frame, Object values, int depth) {
      Iterator<Object> all = Values.iterate(values);
      boolean counted = filter == null && !(values instanceof Generator);
      Loop loop =
          new Loop(
              filter == null ? all : selected(all, frame),
              counted ? Values.length(values) : -1,
              depth,
              recursive ? (others, deeper) -> recurse(frame, others, deeper) : null);
      boolean completed = false;
      while (loop.advance()) {
        Budget.spend(1);
        Frame round = frame.inner();
        round.set("loop", loop);
        target.assign(round, loop.current());
        Flow flow = runAll(body, round);
        if (flow == Flow.BREAK) {
          break;
        }
        completed |= flow == Flow.NEXT;
      }
      return completed ? Flow.NEXT : runAll(otherwise, frame.inner());
    }

    private Iterator<Object> selected(Iterator<Object> all, Frame frame) {
      return new Iterator<>() {
        private Object next = Lookup.ABSENT;

        @Override
        public boolean hasNext() {
          while (next == Lookup.ABSENT && all.hasNext()) {
            Object item = all.next();
            Frame test = frame.inner();
            target.assign(test, item);
            if (Values.truth(filter.evaluate(test))) {
              next = target.value(test); // as Python passes it on
            }
          }
          return next != Lookup.ABSENT;
        }

        @Override
        public Object next() {
          if (!hasNext()) {
            throw new NoSuchElementException();
          }
          Object item = next;
          next = Lookup.ABSENT;
          return item;
        }
      };
    }
  }

  record Leave(int line, Flow flow) implements Statement {
    @Override
    public Flow run(Frame frame) {
      return flow;
    }
  }

  record DefineMacro(int line, String name, Macro.Signature signature, List<Statement> body)
      implements Statement {
    @Override
    public Flow run(Frame frame) {
      frame.set(name, new Macro(name, signature, body, frame));
      return Flow.NEXT;
    }
  }

  record CallBlock(int line, Macro.Signature signature, Expression.Call call, List<Statement> body)
      implements Statement {
    @Override
    public Flow run(Frame frame) {
      Object function = call.function().evaluate(frame);
      Macro caller = new Macro(null, signature, body, frame);
      Arguments arguments = call.arguments().evaluate(frame).with("caller", caller);
      frame.print(rendered(Expression.Call.call(function, arguments)));
      return Flow.NEXT;
    }
  }

  record Assignment(Target target, Expression value) {}

  record With(int line, List<Assignment> assignments, List<Statement> body) implements Statement {
    @Override
    public Flow run(Frame frame) {
      Frame inner = frame.inner();
      for (Assignment assignment : assignments) {
        assignment.target().assign(inner, assignment.value().evaluate(frame));
      }
      return runAll(body, inner);
    }
  }

  /** {@code generation}, which marks what training learns from: a call block without a call. */
  record Generation(int line, Macro.Signature signature, List<Statement> body)
      implements Statement {
    @Override
    public Flow run(Frame frame) {
      frame.print(rendered(new Macro(null, signature, body, frame).call(Arguments.NONE)));
      return Flow.NEXT;
    }
  }

  /** A named block, which sees the template's variables, and others only if it is scoped. */
  record Block(int line, boolean scoped, List<Statement> body) implements Statement {
    @Override
    public Flow run(Frame frame) {
      Frame inner = (scoped ? frame : frame.template()).capture();
      runAll(body, inner);
      frame.print(inner.output());
      return Flow.NEXT;
    }
  }

  /** What a chat template cannot have, if it comes to it. */
  record Refused(int line, String reason) implements Statement {
    @Override
    public Flow run(Frame frame) {
      throw JinjaException.refused(reason);
    }
  }
}
