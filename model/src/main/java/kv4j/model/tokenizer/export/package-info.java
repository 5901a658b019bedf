/**
 * A {@code tokenizer.json} told in GGUF's terms, as far as GGUF has terms for it. The export
 * program uses it when a Hugging Face folder becomes one file. It knows nothing of weights; those
 * are written elsewhere.
 */
package kv4j.model.tokenizer.export;
