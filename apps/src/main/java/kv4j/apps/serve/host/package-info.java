/**
 * A model at work for many clients: with its engine and cache, whose request finds what in that
 * cache, and records of what came of all requests. It knows nothing of HTTP.
 */
package kv4j.apps.serve.host;
