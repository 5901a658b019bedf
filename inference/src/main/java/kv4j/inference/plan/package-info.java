/**
 * A graph compiled to a list of steps, and the workers that run the list. The engine compiles and
 * runs its plan through {@link kv4j.inference.plan.PlanCompiler} and {@link
 * kv4j.inference.plan.Plan}. It knows nothing of requests or sampling.
 */
package kv4j.inference.plan;
