/**
 * What happens in the cache and to requests, numbered and kept for a while, for those who follow
 * it. Nobody who follows can hold up what happens. It knows nothing of who that is, nor of HTTP.
 */
package kv4j.apps.serve.events;
