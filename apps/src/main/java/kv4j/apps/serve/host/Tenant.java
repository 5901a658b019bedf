package kv4j.apps.serve.host;

import kv4j.cache.KvRequest;

/**
 * Whose request it is.
 *
 * @param name empty where there are no keys
 */
public record Tenant(String name) {
  /**
   * What the cache is asked with. A tenant's prefixes are salted besides being in a namespace of
   * its own: a salted request neither learns that another tenant has stored the same text nor shows
   * that it has.
   *
   * @param salt of the client's; empty for none
   * @param label what the request is called
   */
  public KvRequest request(int[] prompt, String salt, String label) {
    KvRequest request = KvRequest.of(prompt).withNamespace(name).withLabel(label);
    return request.withSalt(name.isEmpty() ? salt : "tenant " + name + "\n" + salt);
  }
}
