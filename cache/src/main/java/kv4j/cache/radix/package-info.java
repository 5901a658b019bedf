/**
 * The automatic prefix cache: what any request computed is found by every later one that begins
 * alike. It is the cache {@code radix}, which programs use unless told otherwise. It knows nothing
 * of the tree's inside; {@link kv4j.cache.index} does.
 */
package kv4j.cache.radix;
