/**
 * What a SameDiff graph computes: its ops in order, and which of them together are one step's work.
 * The compiler groups ops with it, and steps take their weights and constants from it. It knows
 * nothing of the steps themselves.
 */
package kv4j.inference.plan.graph;
