/**
 * Text out of a model: the options of sampling, a model at work with its cache, and answers as text
 * piece by piece. The commands {@code generate} and {@code chat} use it. It knows nothing of
 * messages or of chat templates.
 */
package kv4j.apps.text;
