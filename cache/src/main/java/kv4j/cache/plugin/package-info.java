/**
 * What may be kv4j's own or come in a jar of somebody's: found with {@link
 * java.util.ServiceLoader}, picked by name, and asked so that people are told whose failure a
 * failure is. Caches and stores are found that way. It knows nothing of either.
 */
package kv4j.cache.plugin;
