package kv4j.inference.plan.run;

import java.util.List;

/** One step of a plan. All workers run it at the same time, each on its share. */
public interface Step {
  /** Does a worker's share. */
  void run(PassState pass, int worker);

  /**
   * Whether each worker reads and writes only {@link PassState#rowBegin its own rows}, so that
   * neighbouring steps of this kind need no barrier between them.
   */
  default boolean rowLocal(PassState pass) {
    return true;
  }

  /** Values read; none of those that lie elsewhere than in registers. */
  default List<Register> reads() {
    return List.of();
  }

  /** Values written, likewise. */
  default List<Register> writes() {
    return List.of();
  }

  /** For people: what this step is. */
  String describe();

  /**
   * The same without where it stands: what steps of layers that are alike have in common. Empty if
   * people need not know of the step.
   */
  default String kind() {
    return describe();
  }
}
