/**
 * Stores on embedded Infinispan: {@code disk} keeps blocks in a folder, {@code cluster} shares them
 * among processes. The only package that knows Infinispan and JGroups, which are optional
 * dependencies: without them its providers say so when a store is opened.
 */
package kv4j.cache.infinispan;
