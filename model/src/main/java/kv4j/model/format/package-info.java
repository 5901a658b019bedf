/**
 * Model files: GGUF, safetensors and llama2.c checkpoints, all read as metadata and named tensors
 * of floats. {@link kv4j.model.family} makes models of them; programs use its {@link
 * kv4j.model.format.WholeFile} for what they write. It knows nothing of what the tensors are for.
 */
package kv4j.model.format;
