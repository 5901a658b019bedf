/**
 * The cache of a server to look at and to steer, for those who run it: its tree, its figures, pins
 * with names, and events as they happen.
 */
package kv4j.apps.serve.admin;
