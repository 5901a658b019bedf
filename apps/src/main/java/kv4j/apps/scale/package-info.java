/**
 * Simulates servers that share a load: which one a request goes to, what it finds cached there or
 * in a store that all share, and how long its first token takes. Trees, budgets and eviction are
 * those of the real cache, {@link kv4j.cache.index}, around blocks without content; routing, the
 * store and time are models of a few lines each. It knows nothing of models and sockets.
 */
package kv4j.apps.scale;
