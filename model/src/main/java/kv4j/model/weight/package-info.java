/**
 * Matrices of weights as products read them: in panels of outputs, in the bits that the model's
 * file has. {@code kv4j.model.family} fills them, {@code kv4j.inference.kernel} multiplies with
 * them, and a graph keeps them in place of arrays. It knows nothing of files, nor of layers.
 */
package kv4j.model.weight;
