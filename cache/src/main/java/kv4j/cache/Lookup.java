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
 * @param storeTokens how many of the cached tokens, the last ones of whole blocks, were read for
 *     this request from a store behind the cache
 */
public record Lookup(
    int promptTokens,
    int cachedTokens,
    Reason reason,
    String detail,
    List<Integer> stored,
    String fault,
    int storeTokens) {
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
    NOT_KEPT("not kept"),
    /** It may be in the store, which was not open yet. */
    STORE_OPENING("store: opening"),
    /** It may be in the store, from where it would have come later than by computing it. */
    STORE_SLOWER("store: slower than computing"),
    /** The store did not answer in time. */
    STORE_DEADLINE("store: deadline"),
    /** What the store gave was not what had been put there. */
    STORE_DAMAGED("store: damaged"),
    /** The store failed. */
    STORE_FAILED("store: failed");

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
    if (storeTokens < 0 || storeTokens > cachedTokens) {
      throw new IllegalArgumentException(
          storeTokens + " read of " + cachedTokens + " cached tokens");
    }
  }

  /** A lookup of what is right. */
  public Lookup(
      int promptTokens, int cachedTokens, Reason reason, String detail, List<Integer> stored) {
    this(promptTokens, cachedTokens, reason, detail, stored, "", 0);
  }

  /** A lookup that does not say what else is stored. */
  public Lookup(int promptTokens, int cachedTokens, Reason reason, String detail) {
    this(promptTokens, cachedTokens, reason, detail, List.of());
  }

  /** The same, of keys and values that are wrong on purpose. */
  public Lookup withFault(String clause) {
    return new Lookup(promptTokens, cachedTokens, reason, detail, stored, clause, storeTokens);
  }

  /** The same with so many tokens read from a store, and perhaps another reason. */
  Lookup fromStore(int read, Reason why) {
    return new Lookup(promptTokens, cachedTokens, why, detail, stored, fault, read);
  }

  public boolean isHit() {
    return cachedTokens > 0;
  }
}
