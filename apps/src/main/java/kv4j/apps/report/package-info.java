/**
 * Reports for people and for programs: tables, progress and JSON. All commands that print figures
 * use it. It knows nothing of how a figure was measured.
 */
package kv4j.apps.report;
