/**
 * The arithmetic of a transformer layer that is no matrix product, as plain loops and on the Java
 * Vector API. The steps of a plan call it, as does the Deeplearning4j layer. It knows nothing of
 * graphs, passes or caches; it sees arrays, and blocks to read.
 */
package kv4j.inference.kernel;
