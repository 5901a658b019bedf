/**
 * Reports as pages of HTML that need nothing besides themselves: the tables that are printed,
 * charts as SVG, and tokens in colours. Programs that measure write them, and lessons have their
 * charts. It knows nothing of how the figures were measured.
 */
package kv4j.apps.html;
