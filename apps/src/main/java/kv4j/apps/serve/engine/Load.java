package kv4j.apps.serve.engine;

/**
 * How much an engine has to do.
 *
 * @param running requests that are being computed
 * @param waiting requests that wait for their turn
 */
public record Load(int running, int waiting) {}
