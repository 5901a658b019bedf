/**
 * Runs generations for many clients at once, as the server sees it. Requests in token ids go in,
 * tokens come out on a thread of the engine's own. It knows nothing of HTTP or of text.
 */
package kv4j.apps.serve.engine;
