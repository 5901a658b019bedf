/**
 * Lessons on keys, values and caches, whose figures are measured on a real model while they run.
 * The command {@code lesson} prints them, and the server sends them to its page. It knows nothing
 * of who looks at them, nor how.
 */
package kv4j.apps.lesson;
