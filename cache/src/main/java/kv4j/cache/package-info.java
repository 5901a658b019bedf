/**
 * The interfaces of a cache: {@link kv4j.cache.KvCache}, the {@link kv4j.cache.KvSequence} that
 * attention calls, requests, statistics and events. The engine calls them, every cache implements
 * them, and programs find caches by name here. It knows nothing of SameDiff, of models, or of any
 * one cache.
 */
package kv4j.cache;
