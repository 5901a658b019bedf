/**
 * Reports as pages of HTML that need nothing besides themselves: the tables that are printed,
 * charts as SVG, and tokens in colours. It knows nothing of how the figures were measured.
 */
package kv4j.apps.html;
