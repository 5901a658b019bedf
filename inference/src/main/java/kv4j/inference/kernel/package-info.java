/**
 * The arithmetic of a transformer layer, as plain loops and BLAS, and on the Java Vector API. The
 * steps of a plan call it, as does the Deeplearning4j layer. It knows nothing of graphs, passes or
 * caches; it sees arrays, panels of weights, and blocks to read.
 */
package kv4j.inference.kernel;
