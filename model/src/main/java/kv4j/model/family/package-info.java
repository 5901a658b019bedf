/**
 * Model families: which settings and tensors a file of each has, and how they become a config,
 * weights and a model. Programs load, inspect and export models through {@link
 * kv4j.model.family.ModelLoader} and {@link kv4j.model.family.ModelExport}. It knows nothing of how
 * bytes lie in files; {@link kv4j.model.format} does.
 */
package kv4j.model.family;
