/**
 * Where blocks are kept outside of a cache's memory: on a disk, or on other machines. A store keeps
 * bytes under keys; kinds of stores are found by name. It knows nothing of which blocks are worth
 * keeping, nor when they are read; {@link kv4j.cache.tier} does.
 */
package kv4j.cache.store;
