/**
 * What steps run on: the pass in progress, its values, and the memory that all passes share. The
 * steps read and write it; the plan sees to it that there is enough. It knows nothing of graphs,
 * nor of any one step.
 */
package kv4j.inference.plan.run;
