/** Measures many requests at once: a scheduler, and a server over it. */
package kv4j.apps.bench.serving;
