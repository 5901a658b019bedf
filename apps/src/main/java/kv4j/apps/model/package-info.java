/**
 * Which model to run: the options that say so, loading it with its tokenizer and chat template, and
 * what is in its file. All commands that need a model use it. It knows nothing of caches or of
 * inference.
 */
package kv4j.apps.model;
