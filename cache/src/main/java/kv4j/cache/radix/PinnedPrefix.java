package kv4j.cache.radix;

/**
 * A prefix that the user has pinned.
 *
 * @param name the name it was pinned by
 * @param namespace the tenant it belongs to
 * @param tokens its length in whole blocks: this many tokens are never evicted and do not expire
 */
public record PinnedPrefix(String name, String namespace, int tokens) {}
