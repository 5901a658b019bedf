/**
 * Command lines: commands and their options, help, completion, plug-ins, exit statuses, and a
 * terminal kept from harm. Every other package of the programs reads its options or prints through
 * it. It knows nothing of models, caches or inference.
 */
package kv4j.apps.cli;
