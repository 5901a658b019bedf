package kv4j.apps.facts;

/** Which names a page may have: no name that a model is trained with is ever one that tests it. */
public enum Split {
  TRAINING,
  HELD_OUT;

  private static final int ONE_IN = 8;

  /** Whether a name belongs here; told by the name alone. */
  boolean has(String name) {
    int mixed = name.hashCode() * 0x9E3779B9;
    return ((mixed >>> 16) % ONE_IN == 0) == (this == HELD_OUT);
  }
}
