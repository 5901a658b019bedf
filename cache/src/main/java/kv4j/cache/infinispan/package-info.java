/**
 * Stores on embedded Infinispan: {@code disk} keeps blocks in a folder, {@code cluster} shares them
 * among processes. This is the only package that sees Infinispan and JGroups, which are optional
 * dependencies: without them its providers say so when a store is opened. It knows nothing of what
 * is in a value, nor of when values are read.
 */
package kv4j.cache.infinispan;
