/**
 * The cache of a server to look at and to steer, for those who run it. There are its tree, its
 * figures, pins with names, and events as they happen. It knows nothing of chats and completions.
 */
package kv4j.apps.serve.admin;
