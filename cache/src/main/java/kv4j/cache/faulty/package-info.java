/**
 * A cache that is wrong on purpose: it disturbs what another cache answers with. Lessons and tests
 * use it to see what a fault in a cache does, and whether it is noticed. It knows nothing of how
 * that other cache keeps what it disturbs.
 */
package kv4j.cache.faulty;
