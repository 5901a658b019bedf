/**
 * Self-attention as a Deeplearning4j layer that keeps keys and values through the same hook as the
 * engine. Users of {@code MultiLayerNetwork} and {@code ComputationGraph} add it to networks of
 * their own. It knows nothing of the engine or of plans.
 */
package kv4j.inference.dl4j;
