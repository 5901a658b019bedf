package kv4j.cache.faulty;

import java.util.ArrayList;
import java.util.List;
import kv4j.cache.DelegatingCache;
import kv4j.cache.DelegatingSequence;
import kv4j.cache.KvCache;
import kv4j.cache.KvRequest;
import kv4j.cache.KvSequence;
import kv4j.cache.Lookup;
import kv4j.cache.block.KvBlock;
import kv4j.cache.block.KvSpans;

/**
 * Another cache with a {@link Fault}: attention reads disturbed copies of the keys and values that
 * a request found cached, and right ones of all that it computes itself. What the other cache keeps
 * is never written; but what is computed from disturbed keys and values is committed to it, as it
 * would be with a fault that nobody intended.
 */
public final class FaultyKvCache extends DelegatingCache {
  private final Fault fault;

  /**
   * Takes over the other cache.
   *
   * @throws IllegalArgumentException if the fault is of a layer or a head that there is not
   */
  public FaultyKvCache(KvCache cache, Fault fault) {
    super(cache);
    fault.check(cache.layout());
    this.fault = fault;
  }

  @Override
  protected KvSequence wrap(KvRequest request, KvSequence sequence) {
    return fault.concerns(sequence.lookup().cachedTokens())
        ? new Sequence(sequence, fault)
        : sequence;
  }

  private static final class Sequence extends DelegatingSequence {
    private final Fault fault;
    private final int cached;
    private final List<KvBlock> copies = new ArrayList<>(); // in place of as many leading blocks

    Sequence(KvSequence sequence, Fault fault) {
      super(sequence);
      this.fault = fault;
      cached = sequence.lookup().cachedTokens();
    }

    @Override
    public Lookup lookup() {
      return sequence.lookup().withFault(fault.toString());
    }

    @Override
    public KvSpans update(int layer, float[] keys, float[] values, int firstRow, int tokens) {
      KvSpans right = sequence.update(layer, keys, values, firstRow, tokens);
      if (copies.isEmpty()) {
        copy(right);
      }
      List<KvBlock> blocks = new ArrayList<>(copies);
      int[] counts = new int[right.count()];
      int end = 0; // of the tokens in copies
      for (int span = 0; span < counts.length; span++) {
        counts[span] = right.tokens(span);
        if (span < copies.size()) {
          end += counts[span];
        } else {
          blocks.add(right.block(span));
        }
      }
      int before = right.length() - tokens;
      if (before < end) { // the last copy has room for new tokens, which are right
        int last = copies.size() - 1;
        int slot = before - (end - counts[last]);
        copies.get(last).write(layer, slot, end - before, keys, values, firstRow);
      }
      return KvSpans.of(blocks, counts);
    }

    /** Copies the blocks of all cached tokens, disturbing those concerned. */
    private void copy(KvSpans right) {
      for (int begin = 0; begin < cached; begin += right.tokens(copies.size() - 1)) {
        int span = copies.size();
        KvBlock copy = new KvBlock(layout());
        int tokens = Math.min(right.tokens(span), cached - begin);
        right.block(span).copyTo(copy, tokens);
        disturb(copy, begin, tokens);
        copies.add(copy);
      }
    }

    private void disturb(KvBlock block, int begin, int tokens) {
      float[] key = new float[layout().width()];
      float[] value = new float[layout().width()];
      for (int layer = 0; layer < layout().layers(); layer++) {
        for (int slot = 0; slot < tokens; slot++) {
          if (fault.concerns(layer, begin + slot)) {
            block.read(layer, slot, 1, key, value, 0);
            fault.disturb(
                fault.part() == Fault.Part.KEYS ? key : value, layer, begin + slot, layout());
            block.write(layer, slot, 1, key, value, 0);
          }
        }
      }
    }
  }
}
