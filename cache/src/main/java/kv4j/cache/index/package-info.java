/**
 * The radix tree over token ids: the longest stored prefix, leases, eviction and expiry, under one
 * lock and one budget. {@link kv4j.cache.radix} stores its blocks in it. It knows nothing of keys
 * and values; of a block it knows only the weight.
 */
package kv4j.cache.index;
