/**
 * Workloads: requests that share text, the files they come from, and the figures that running them
 * gives. {@link kv4j.apps.measure} runs them, and {@link kv4j.apps.report} prints the figures. It
 * knows nothing of caches or of the engine.
 */
package kv4j.apps.workload;
