/**
 * Many requests at once on one engine: who runs next, how a pass's rows are shared out, and who
 * gives way when the cache's memory runs out. Programs submit requests, and listeners get tokens as
 * they come. It knows nothing of threads that wait, HTTP or text.
 */
package kv4j.inference.schedule;
