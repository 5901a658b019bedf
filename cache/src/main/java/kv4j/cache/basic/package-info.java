/**
 * The two caches that share nothing between requests: {@code none} and {@code request}.
 * Measurements compare other caches with them, and the engine runs whole sequences on {@code
 * request}. It knows nothing of prefixes.
 */
package kv4j.cache.basic;
