/**
 * The tier between a cache in memory and a store: decides whether to read a chain of blocks or to
 * have it computed, reads it in time or not at all, and writes blocks down in the background. It is
 * where everything that a store may do wrong ends. It knows nothing of how a store keeps bytes, nor
 * of the tree that its blocks go into.
 */
package kv4j.cache.tier;
