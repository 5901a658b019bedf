package kv4j.cache.radix;

import java.util.List;
import kv4j.cache.TreeSnapshot;
import kv4j.cache.block.KvBlock;
import kv4j.cache.block.KvLayout;
import kv4j.cache.index.PrefixIndex;

/**
 * How large the keys and values of a run of tokens are: the mean of their elements' absolute values
 * over the run, for each layer and head.
 *
 * @param run which tokens, and what a snapshot says of them
 * @param keys {@code [layers][kvHeads]}
 * @param values {@code [layers][kvHeads]}
 */
public record RunMagnitudes(TreeSnapshot.Run run, float[][] keys, float[][] values) {
  /** Reads a held run, and lets go of it. */
  static RunMagnitudes of(PrefixIndex.Held<KvBlock> held, KvLayout layout) {
    try (held) {
      float[][] keys = new float[layout.layers()][];
      float[][] values = new float[layout.layers()][];
      for (int layer = 0; layer < layout.layers(); layer++) {
        double[] keySums = new double[layout.kvHeads()];
        double[] valueSums = new double[layout.kvHeads()];
        add(held.run(), held.blocks(), layout, layer, keySums, valueSums);
        long elements = (long) held.run().tokens().length * layout.headDim();
        keys[layer] = means(keySums, elements);
        values[layer] = means(valueSums, elements);
      }
      return new RunMagnitudes(held.run(), keys, values);
    }
  }

  private static void add(
      TreeSnapshot.Run run,
      List<KvBlock> blocks,
      KvLayout layout,
      int layer,
      double[] keySums,
      double[] valueSums) {
    int size = layout.blockTokens();
    float[] keys = new float[size * layout.width()];
    float[] values = new float[keys.length];
    int end = run.start() + run.tokens().length;
    for (int at = run.start(); at < end; ) {
      int tokens = Math.min(end, (at / size + 1) * size) - at;
      KvBlock block = blocks.get(at / size - run.start() / size);
      block.read(layer, at % size, tokens, keys, values, 0);
      for (int i = 0; i < tokens * layout.width(); i++) {
        int head = i % layout.width() / layout.headDim();
        keySums[head] += Math.abs(keys[i]);
        valueSums[head] += Math.abs(values[i]);
      }
      at += tokens;
    }
  }

  private static float[] means(double[] sums, long elements) {
    float[] means = new float[sums.length];
    for (int head = 0; head < means.length; head++) {
      means[head] = (float) (sums[head] / elements);
    }
    return means;
  }
}
