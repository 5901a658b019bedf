package kv4j.apps.report;

import java.util.Optional;

/**
 * What ran.
 *
 * @param model what was run
 * @param backend what it ran on
 * @param prompts how texts were written down as prompts; empty where there were no texts
 */
public record RunInfo(Model model, Backend backend, Optional<String> prompts) {
  /**
   * A model.
   *
   * @param preset its name
   * @param layers attention layers
   * @param parameters number of weights
   */
  public record Model(String preset, int layers, long parameters) {}

  /**
   * What computes.
   *
   * @param name of ND4J's backend
   * @param blas whose matrix multiplication it uses
   * @param threads worker threads
   * @param device {@code cpu} or {@code gpu}
   */
  public record Backend(String name, String blas, int threads, String device) {}

  /** In one line. */
  public String title() {
    return "%s: %d layers, %s M parameters; ND4J %s, %s, %d %s"
        .formatted(
            model.preset(),
            model.layers(),
            Format.number(model.parameters() / 1e6),
            backend.name(),
            backend.blas(),
            backend.threads(),
            backend.threads() == 1 ? "thread" : "threads");
  }
}
