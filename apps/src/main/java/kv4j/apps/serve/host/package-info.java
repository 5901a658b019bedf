/**
 * A model at work for many clients: its engine and its cache, whose request finds what in that
 * cache, and records of what came of all requests. All routes that do something use it. It knows
 * nothing of HTTP.
 */
package kv4j.apps.serve.host;
