/**
 * Steps that run single ops as SameDiff runs them, with the mask and the hook for attention of that
 * kind. The compiler uses them wherever no fused step has been proved to compute the same. It knows
 * nothing of the fused steps.
 */
package kv4j.inference.plan.op;
