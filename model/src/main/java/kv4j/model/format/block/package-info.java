/**
 * How GGUF stores the elements of a tensor: each type's blocks, the way back to floats and, for
 * those that are written, the way there. The readers and the writer of {@link kv4j.model.format}
 * use it. It knows nothing of files; it is given bytes.
 */
package kv4j.model.format.block;
