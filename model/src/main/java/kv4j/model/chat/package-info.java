/**
 * Conversations as prompts: chat templates, and which tokens of a conversation stay as they are
 * from turn to turn. The chat program and the workloads write their messages with it. It knows
 * nothing of what runs the prompts.
 */
package kv4j.model.chat;
