package kv4j.model.jinja;

import java.math.BigInteger;
import java.util.AbstractList;
import java.util.List;

/** Python's range, of at most as many numbers as Jinja's sandbox allows. */
final class Range implements TemplateObject {
  private static final int LONGEST = 100_000;

  private final BigInteger start;
  private final BigInteger stop;
  private final BigInteger step;
  private final int size;

  Range(BigInteger start, BigInteger stop, BigInteger step) {
    if (step.signum() == 0) {
      throw JinjaException.failure("range() arg 3 must not be zero");
    }
    this.start = start;
    this.stop = stop;
    this.step = step;
    BigInteger distance = step.signum() > 0 ? stop.subtract(start) : start.subtract(stop);
    BigInteger length =
        distance.signum() <= 0
            ? BigInteger.ZERO
            : distance.subtract(BigInteger.ONE).divide(step.abs()).add(BigInteger.ONE);
    if (length.bitLength() > 31 || length.intValueExact() > LONGEST) {
      throw JinjaException.failure("range of more than " + LONGEST + " numbers");
    }
    size = length.intValueExact();
  }

  /** Its numbers, computed as they are asked for. */
  List<Object> list() {
    return new AbstractList<>() {
      @Override
      public Object get(int index) {
        return start.add(step.multiply(BigInteger.valueOf(index)));
      }

      @Override
      public int size() {
        return size;
      }
    };
  }

  Range slice(int from, int to, int stride) {
    BigInteger by = step.multiply(BigInteger.valueOf(stride));
    return new Range(
        start.add(step.multiply(BigInteger.valueOf(from))),
        start.add(step.multiply(BigInteger.valueOf(to))),
        by);
  }

  @Override
  public String typeName() {
    return "range";
  }

  @Override
  public Object attribute(String name) {
    return switch (name) {
      case "start" -> start;
      case "stop" -> stop;
      case "step" -> step;
      default -> Lookup.ABSENT;
    };
  }

  @Override
  public String repr() {
    String bounds = "range(" + start + ", " + stop;
    return step.equals(BigInteger.ONE) ? bounds + ")" : bounds + ", " + step + ")";
  }

  @Override
  public boolean truth() {
    return size > 0;
  }
}
