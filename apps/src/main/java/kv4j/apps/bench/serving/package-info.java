/**
 * Measures many requests at once: a scheduler, and a server over it. The command {@code bench
 * --serving} prints it.
 */
package kv4j.apps.bench.serving;
