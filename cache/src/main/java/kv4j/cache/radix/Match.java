package kv4j.cache.radix;

import java.util.List;
import kv4j.cache.Lookup;

/**
 * What a lookup found.
 *
 * @param shared whole blocks, in order, pinned by the lease
 * @param partial a block that holds the cached tokens after these, and perhaps others behind them;
 *     null if there are none. It is not pinned: its tokens never change, and this reference keeps
 *     it while it is copied
 */
record Match<B>(Lookup lookup, Lease<B> lease, List<B> shared, B partial) {}
