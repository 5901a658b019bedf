package kv4j.inference.plan.graph;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;

/** Which units read which values. */
public final class Uses {
  private static final int NEVER = -1;

  private final List<Unit> units;
  private final Map<String, Integer> lastRead = new HashMap<>();

  /**
   * @param units in running order; known by their number from here on
   */
  public Uses(List<Unit> units) {
    this.units = units;
    for (int u = 0; u < units.size(); u++) {
      for (String read : units.get(u).reads()) {
        lastRead.put(read, u);
      }
    }
  }

  /** Whether nobody reads a value after a unit that does. */
  public boolean endsAt(int unit, String value) {
    return lastRead.getOrDefault(value, NEVER) == unit;
  }

  /** Whether a step of our own reads a value from a register. */
  public boolean isReadByStep(String value) {
    return units.stream()
        .anyMatch(
            unit ->
                unit.kind() != Unit.Kind.OTHER
                    && unit.kind() != Unit.Kind.HOOK
                    && unit.reads().contains(value));
  }

  /**
   * The number of the sum that a projection can add itself into: the only reader of its result,
   * where nobody reads the other summand from the projection on. -1 if there is none.
   *
   * @param inRegister whether a value has been computed into a register
   */
  public int sumAfter(int projection, Predicate<String> inRegister) {
    String result = units.get(projection).output();
    Integer reader = lastRead.get(result);
    if (reader == null || units.get(reader).kind() != Unit.Kind.ADD) {
      return NEVER;
    }
    String summand = units.get(reader).otherThan(result);
    if (!inRegister.test(summand) || !endsAt(reader, summand)) {
      return NEVER;
    }
    for (int u = projection; u < reader; u++) { // the projection itself may read the summand
      List<String> reads = units.get(u).reads();
      if (reads.contains(summand) || reads.contains(result)) {
        return NEVER;
      }
    }
    return reader;
  }
}
