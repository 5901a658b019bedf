/**
 * Stores behind caches as users see them: the options that ask for one, and what is done with what
 * is in one: listed, checked, carried to a file and back. Commands with a cache use it. It knows
 * nothing of models or of text.
 */
package kv4j.apps.store;
