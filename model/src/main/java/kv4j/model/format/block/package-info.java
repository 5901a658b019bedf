/**
 * How GGUF stores the elements of a tensor: each type's blocks, and the way back to floats. The
 * readers of {@link kv4j.model.format} use it. It knows nothing of files; it is given bytes.
 */
package kv4j.model.format.block;
