/**
 * The engine that runs a model's graph over new tokens, and the life of a request: chunks,
 * sampling, results. Programs, servers and tests start here. It knows nothing of text; prompts and
 * answers are token ids.
 */
package kv4j.inference;
