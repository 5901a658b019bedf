/**
 * Examines a model: it reads pages of facts and answers questions about them. Many exams run at
 * once through the scheduler, and each question finds its page in the cache. An answer is right or
 * wrong, letter by letter. It knows nothing of how the questions were made up.
 */
package kv4j.apps.eval;
