/**
 * The commands of {@code kv4j}, one class each, and what has to be set up before ND4J's first class
 * is loaded. {@link kv4j.apps.Main} is where the program begins. It knows nothing of how things are
 * computed or measured; it reads options, calls and prints.
 */
package kv4j.apps;
