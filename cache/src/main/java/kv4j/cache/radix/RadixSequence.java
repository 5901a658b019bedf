package kv4j.cache.radix;

import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import kv4j.cache.BlockSequence;
import kv4j.cache.Lookup;
import kv4j.cache.block.KvBlock;
import kv4j.cache.block.KvLayout;
import kv4j.cache.block.KvSpans;
import kv4j.cache.index.Chain;
import kv4j.cache.index.Keyspace;
import kv4j.cache.index.Lease;
import kv4j.cache.index.PrefixIndex;
import kv4j.cache.tier.StoreTier;

/** A sequence of a {@link RadixKvCache}: shares what was found, and offers what is computed. */
final class RadixSequence extends BlockSequence {
  private static final int TIMED_TOKENS = 16; // fewer tell little of what a prefill takes

  private final PrefixIndex<KvBlock> index;
  private final Optional<StoreTier> tier;
  private final Keyspace space;
  private final Lookup lookup;
  private final Lease<KvBlock> lease;
  private int shared; // leading blocks that are the cache's
  private int reserved; // blocks of its own that are known to be within the budget
  private long passBegin; // ns

  /**
   * @param tier the store behind the cache
   * @param lease on what was found, given back when this is committed or closed
   * @param blocks what was found, the last perhaps a copy of its own
   */
  RadixSequence(
      PrefixIndex<KvBlock> index,
      Optional<StoreTier> tier,
      Keyspace space,
      Lookup lookup,
      Lease<KvBlock> lease,
      List<KvBlock> blocks,
      KvLayout layout) {
    super(layout);
    this.index = index;
    this.tier = tier;
    this.space = space;
    this.lookup = lookup;
    this.lease = lease;
    shared = lookup.cachedTokens() / layout.blockTokens();
    startOn(blocks, lookup.cachedTokens());
  }

  @Override
  public Lookup lookup() {
    return lookup;
  }

  @Override
  public KvSpans update(int layer, float[] keys, float[] values, int firstRow, int tokens) {
    KvSpans spans = super.update(layer, keys, values, firstRow, tokens);
    if (layer == 0) {
      passBegin = System.nanoTime();
    } else if (layer == layout.layers() - 1 && tokens >= TIMED_TOKENS) {
      long allButOne = System.nanoTime() - passBegin;
      tier.ifPresent(store -> store.computed(tokens, allButOne * layout.layers() / layer));
    }
    return spans;
  }

  @Override
  public boolean reserve(int tokens) {
    int own = layout.blocksFor(length() + tokens) - shared;
    return own <= reserved || reserveBlocks(own);
  }

  private boolean reserveBlocks(int own) {
    boolean fits = index.reserve(lease, own * layout.bytesPerBlock());
    reserved = fits ? own : reserved;
    return fits;
  }

  @Override
  public int commitPrefix(int[] tokens) {
    int length = Math.min(tokens.length, length());
    List<KvBlock> kept = index.commitPrefix(lease, tokens, length, blocks());
    writeDown(tokens, length);
    replaceFirst(kept);
    shared = kept.size();
    reserved = 0; // not known: the next pass asks
    return kept.size() * layout.blockTokens();
  }

  @Override
  public void commit(int[] tokens) {
    int length = Math.min(tokens.length, length());
    index.commit(lease, tokens, length, blocks());
    writeDown(tokens, length);
  }

  /** Offers the store all of it: what was found may have been too short to be kept there. */
  private void writeDown(int[] tokens, int length) {
    if (tier.isPresent() && tier.get().wantsCommitted()) {
      int[] inPlace = Arrays.copyOf(tokens, length);
      tier.get().offer(new Chain<>(space, inPlace, 0, List.copyOf(blocks())));
    }
  }

  @Override
  public void close() {
    lease.close();
    reset();
  }
}
