/**
 * Runs a workload with and without a cache, and works out what the cache bought and whether all
 * answers agree. The commands {@code compare} and {@code workflow} use it. It knows nothing of
 * files, nor of how a report is printed.
 */
package kv4j.apps.measure;
