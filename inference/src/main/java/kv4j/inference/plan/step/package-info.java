/**
 * The fused steps: embedding, norm, projection, head splitting, the hook, attention, activation and
 * sums. The compiler makes them for units of the graph that were checked to compute just that. It
 * knows nothing of SameDiff's sessions, nor of steps that run single ops.
 */
package kv4j.inference.plan.step;
