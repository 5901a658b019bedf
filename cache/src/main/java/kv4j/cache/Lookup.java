package kv4j.cache;

import java.util.List;

/**
 * What a cache found for one prompt.
 *
 * @param promptTokens tokens of the prompt
 * @param cachedTokens leading tokens whose keys and values need not be computed
 * @param reason why it was not more
 * @param detail one clause for people, perhaps empty: where and on which tokens it diverged
 * @param stored where the prompt diverged, some of the tokens that are stored after the cached
 *     ones, always of the same namespace, model and salt; otherwise empty
 * @param fault one clause for people: what of the cached keys and values is wrong on purpose;
 *     otherwise empty
 */
public record Lookup(
    int promptTokens,
    int cachedTokens,
    Reason reason,
    String detail,
    List<Integer> stored,
    String fault) {
  /** Why a lookup did not find more than it did. */
  public enum Reason {
    /** All that may be reused was: everything but the last prompt token. */
    FULL("fully cached"),
    /** Nothing that begins like this was ever stored. */
    COLD("cold"),
    /** Something longer was stored, but goes on with other tokens. */
    DIVERGED("diverged"),
    /** What was stored ends here: nothing longer was ever stored. */
    END_OF_STORED("new text"),
    /** It was stored and has outlived its time-to-live. */
    EXPIRED("expired"),
    /** It was stored and had to make room. */
    EVICTED("evicted"),
    /** It is stored, but under another namespace or for another model. */
    OTHER_NAMESPACE("other namespace"),
    /** There was no room to keep it when it was computed. */
    NO_ROOM("no room"),
    /** This cache keeps nothing between requests. */
    NOT_KEPT("not kept");

    private final String label;

    Reason(String label) {
      this.label = label;
    }

    /** A word or two for tables. */
    public String label() {
      return label;
    }
  }

  public Lookup {
    stored = List.copyOf(stored);
    if (cachedTokens < 0 || cachedTokens > promptTokens) {
      throw new IllegalArgumentException(cachedTokens + " cached of " + promptTokens + " tokens");
    }
  }

  /** A lookup of what is right. */
  public Lookup(
      int promptTokens, int cachedTokens, Reason reason, String detail, List<Integer> stored) {
    this(promptTokens, cachedTokens, reason, detail, stored, "");
  }

  /** A lookup that does not say what else is stored. */
  public Lookup(int promptTokens, int cachedTokens, Reason reason, String detail) {
    this(promptTokens, cachedTokens, reason, detail, List.of());
  }

  /** The same, of keys and values that are wrong on purpose. */
  public Lookup withFault(String clause) {
    return new Lookup(promptTokens, cachedTokens, reason, detail, stored, clause);
  }

  public boolean isHit() {
    return cachedTokens > 0;
  }
}
