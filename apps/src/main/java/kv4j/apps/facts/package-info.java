/**
 * Pages of facts, conversations about them, and the right answers: what the demo model learns from,
 * and what it is examined with. All is composed at random, by a seed, of words and sentences in
 * this package's resources; names of one split never come up in the other. It knows nothing of
 * caches, engines or weights.
 */
package kv4j.apps.facts;
