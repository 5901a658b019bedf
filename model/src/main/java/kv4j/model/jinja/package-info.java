/**
 * The language of chat templates: Jinja with the semantics of Python and the settings of Hugging
 * Face, within limits. {@link kv4j.model.chat} renders templates with it. It knows nothing of
 * messages, models or tokens, only of values and text.
 */
package kv4j.model.jinja;
