package kv4j.cache;

import java.util.Objects;
import java.util.Optional;

/**
 * What a cache needs to know of a request to find keys and values for it.
 *
 * @param prompt token ids; not modified
 * @param sharedPrefixTokens how many leading tokens the caller knows to be shared with other
 *     requests; for caches that must be told (others find it themselves)
 * @param namespace tenant: nothing is shared across namespaces
 * @param model fingerprint of the model that computes the keys and values: nothing is shared across
 *     models
 * @param salt a secret that separates like a namespace; besides, a salted request neither learns of
 *     what others have stored (in a miss reason, or in the time that finding one takes) nor shows
 *     them its own; empty: none
 * @param label what the caller calls the request: kept with what it leaves in a cache, for people
 *     who look at that, and of no effect on what is found; empty: nothing
 * @param prefetched what {@link KvCache#prefetch} brought for it; empty: that was not asked for
 */
public record KvRequest(
    int[] prompt,
    int sharedPrefixTokens,
    String namespace,
    String model,
    String salt,
    String label,
    Optional<Prefetched> prefetched) {
  public KvRequest {
    Objects.requireNonNull(namespace);
    Objects.requireNonNull(model);
    Objects.requireNonNull(salt);
    Objects.requireNonNull(label);
    Objects.requireNonNull(prefetched);
    if (prompt.length == 0) {
      throw new IllegalArgumentException("a prompt needs at least 1 token");
    }
    if (sharedPrefixTokens < 0 || sharedPrefixTokens > prompt.length) {
      throw new IllegalArgumentException(
          "a shared prefix of "
              + sharedPrefixTokens
              + " tokens in a prompt of "
              + prompt.length
              + " tokens");
    }
  }

  /** A request for which nothing was prefetched. */
  public KvRequest(
      int[] prompt,
      int sharedPrefixTokens,
      String namespace,
      String model,
      String salt,
      String label) {
    this(prompt, sharedPrefixTokens, namespace, model, salt, label, Optional.empty());
  }

  /** A request without a label. */
  public KvRequest(
      int[] prompt, int sharedPrefixTokens, String namespace, String model, String salt) {
    this(prompt, sharedPrefixTokens, namespace, model, salt, "");
  }

  /** A request without a salt or a label. */
  public KvRequest(int[] prompt, int sharedPrefixTokens, String namespace, String model) {
    this(prompt, sharedPrefixTokens, namespace, model, "");
  }

  /** A request in the default namespace that says nothing of a shared prefix. */
  public static KvRequest of(int... prompt) {
    return new KvRequest(prompt, 0, "", "");
  }

  /** The same for other tokens. */
  public KvRequest withPrompt(int[] other) {
    return new KvRequest(other, sharedPrefixTokens, namespace, model, salt, label, prefetched);
  }

  /** The same for a tenant. */
  public KvRequest withNamespace(String other) {
    return new KvRequest(prompt, sharedPrefixTokens, other, model, salt, label);
  }

  /** The same for a model. */
  public KvRequest withModel(String other) {
    return new KvRequest(prompt, sharedPrefixTokens, namespace, other, salt, label);
  }

  /** The same with a salt. */
  public KvRequest withSalt(String other) {
    return new KvRequest(prompt, sharedPrefixTokens, namespace, model, other, label);
  }

  /** The same under a name. */
  public KvRequest withLabel(String other) {
    return new KvRequest(prompt, sharedPrefixTokens, namespace, model, salt, other, prefetched);
  }

  /** The same after what a store has of it was brought into memory. */
  public KvRequest withPrefetched(Prefetched brought) {
    return new KvRequest(
        prompt, sharedPrefixTokens, namespace, model, salt, label, Optional.of(brought));
  }
}
