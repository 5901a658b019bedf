/**
 * What every cache promises, as checks that throw when a promise is broken. kv4j's own tests run
 * them on each provider; tests of a plug-in can do the same. It knows nothing of any one cache, nor
 * of a test framework.
 */
package kv4j.cache.contract;
