package kv4j.model.weight;

/** Numbers by their place, for several threads at once. */
@FunctionalInterface
public interface FloatSource {
  /**
   * Hands out some that are next to each other.
   *
   * @param from place of the first
   * @param to receives them from {@code at} on
   */
  void get(int from, float[] to, int at, int count);
}
