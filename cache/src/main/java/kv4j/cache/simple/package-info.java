/**
 * The explicit prefix cache: requests say which prefix they share, and it is kept whole in a {@link
 * kv4j.cache.simple.SimpleKvCache}. It is the cache {@code simple}; {@code SimpleKvCache} is one
 * file, to be read first or copied. It knows nothing of trees and shares no blocks.
 */
package kv4j.cache.simple;
