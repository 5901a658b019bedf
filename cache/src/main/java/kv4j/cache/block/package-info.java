/**
 * Blocks of keys and values: their one layout, how many bits they keep, and their form as bytes.
 * Caches hand blocks out, and the attention kernels read them where they lie. It knows nothing of
 * who owns a block, or why it is kept.
 */
package kv4j.cache.block;
