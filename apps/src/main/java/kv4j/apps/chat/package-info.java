/**
 * A conversation at the terminal: what is typed, the commands in it, and the messages so far. The
 * command {@code chat} runs it. It knows nothing of options, of loading models, or of the engine
 * beyond a session that generates text.
 */
package kv4j.apps.chat;
