/**
 * Times the engine's passes beside what the machine can do at most, and beside other ways to run
 * them. The command {@code bench} prints it; {@link kv4j.apps.measure} takes its count of
 * operations and its timed passes from here. It knows nothing of workloads as such, nor of what is
 * cached.
 */
package kv4j.apps.bench;
