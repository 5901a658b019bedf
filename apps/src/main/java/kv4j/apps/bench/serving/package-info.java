/**
 * Measures many requests at once: side by side, a short one during a long one, and through a
 * server. The command {@code bench --serving} prints it. It knows nothing of how the figures are
 * shown, and nothing of workloads.
 */
package kv4j.apps.bench.serving;
