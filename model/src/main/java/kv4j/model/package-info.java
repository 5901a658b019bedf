/**
 * What a transformer is: its config, its weights, and the plain SameDiff graph that computes a
 * whole sequence from them. Every other package that deals with models builds on it, and the engine
 * compiles its graphs. It knows nothing of files, of families, or of caches.
 */
package kv4j.model;
