/**
 * Tokenizers: byte-level and SentencePiece vocabularies from GGUF and llama2.c files, and Hugging
 * Face's {@code tokenizer.json}. The model loader picks one for each model; programs decode their
 * answers with it token by token. It knows nothing of weights or graphs.
 */
package kv4j.model.tokenizer;
