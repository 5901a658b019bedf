/**
 * The server behind {@code kv4j serve}: OpenAI's protocol over HTTP, with the cache in plain sight.
 * A request's thread reads it, starts its generations, and writes what comes of them; an engine's
 * thread never waits for a client. It knows nothing of forward passes, nor of which model it is.
 */
package kv4j.apps.serve;
