/**
 * What one forward pass computes: new tokens of one or more sequences, and which of their rows need
 * logits. Generations ask for passes, and plans run them. It knows nothing of how a pass is run.
 */
package kv4j.inference.pass;
