package kv4j.apps.report;

import java.util.Locale;

/** What a process does, one after another, until it has its first token. */
public enum Phase {
  /** From the start of the process to the first line of the program. */
  JVM("JVM start"),
  /** Options are read, and the prompt. */
  COMMAND("options, prompt"),
  /** ND4J loads its native libraries. */
  ND4J("ND4J start"),
  /** The model is read or made, a store opened meanwhile, and the prompt's tokens are found. */
  MODEL("model load"),
  /** The model's graph is compiled. */
  ENGINE("engine compile"),
  /** The prompt is computed, and the first token picked: TTFT. */
  PREFILL("prefill (TTFT)");

  private final String label;

  Phase(String label) {
    this.label = label;
  }

  /** For people. */
  public String label() {
    return label;
  }

  /** In JSON. */
  public String key() {
    return name().toLowerCase(Locale.ROOT);
  }
}
