package kv4j.inference.kernel;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import kv4j.cache.block.KvBlock;
import kv4j.cache.block.KvDtype;
import kv4j.cache.block.KvLayout;
import kv4j.cache.block.KvSpans;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** {@link Kernels#attend} of each form against attention written down in double precision. */
class AttentionTest {
  private static final int CASES = 300;
  private static final int[] HEAD_DIMS = {1, 5, 8, 16, 32, 40, 48, 64, 128};
  private static final int[] BLOCKS = {1, 7, 16, 32, 33, 64};
  private static final float UNTOUCHED = -12345;

  private final AttentionScratch scratch = new AttentionScratch();

  @ParameterizedTest
  @ValueSource(strings = {"plain", "vector"})
  void agreesWithDoublePrecision(String form) {
    Kernels kernels = Forms.named(form);
    long seed = System.nanoTime();
    for (int i = 0; i < CASES; i++) {
      check(kernels, new Case(new Random(seed + i), 1, "seed " + (seed + i)));
    }
  }

  /** Scores of tens of thousands, whose exponentials overflow unless the largest is taken off. */
  @ParameterizedTest
  @ValueSource(strings = {"plain", "vector"})
  void largeScoresAreSafe(String form) {
    Kernels kernels = Forms.named(form);
    long seed = System.nanoTime();
    for (int i = 0; i < 50; i++) {
      check(kernels, new Case(new Random(seed + i), 100, "seed " + (seed + i)));
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"plain", "vector"})
  void hugeScoresStayFinite(String form) {
    Kernels kernels = Forms.named(form);
    long seed = System.nanoTime();
    for (int i = 0; i < 50; i++) {
      Case c = new Case(new Random(seed + i), 1e15f, "seed " + (seed + i));
      run(kernels, c);
      for (float value : c.output) {
        assertTrue(Float.isFinite(value), () -> kernels.name() + ", " + c);
      }
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"plain", "vector"})
  void theOnlyTokenSeenIsTheOutput(String form) {
    // One token: its weight is 1 whatever the score, so the output is its value.
    KvLayout layout = new KvLayout(1, 1, 32, 16, KvDtype.F32);
    KvBlock block = new KvBlock(layout);
    float[] values = new float[32];
    for (int i = 0; i < values.length; i++) {
      values[i] = i - 7;
    }
    block.write(0, 0, 1, values.clone(), values, 0);
    float[] out = new float[32];
    Forms.named(form)
        .attend(
            new AttentionTask(KvSpans.of(List.of(block), 1), 0, 0, 1, 0, 1, 1, 3),
            values.clone(),
            out,
            0,
            32,
            scratch);
    assertEquals(Arrays.toString(values), Arrays.toString(out));
  }

  /** Rows of sequences that share blocks get what each of them gets by itself. */
  @ParameterizedTest
  @ValueSource(strings = {"plain", "vector"})
  void sharedBlocksGiveEachRowWhatItGetsAlone(String form) {
    Kernels kernels = Forms.named(form);
    long seed = System.nanoTime();
    for (int i = 0; i < CASES; i++) {
      checkTogether(kernels, new Random(seed + i), "seed " + (seed + i));
    }
  }

  private void checkTogether(Kernels kernels, Random random, String seed) {
    KvDtype dtype = KvDtype.values()[Math.max(0, random.nextInt(8) - 4)];
    KvLayout layout =
        new KvLayout(1, 1, Case.pick(random, HEAD_DIMS), Case.pick(random, BLOCKS), dtype);
    KvSpans shared = Case.spans(random, layout, 1 + random.nextInt(400), 1);
    int group = 1 + random.nextInt(4);
    int width = group * layout.headDim();
    List<AttentionTask> tasks = new ArrayList<>();
    List<Integer> at = new ArrayList<>();
    int end = random.nextInt(5);
    for (int n = 1 + random.nextInt(20); n > 0; n--) {
      int rows = random.nextInt(3) > 0 ? 1 : 1 + random.nextInt(6);
      int past = random.nextInt(3) == 0 ? random.nextInt(200) : 0;
      KvSpans own = Case.spans(random, layout, past + rows, 1);
      tasks.add(new AttentionTask(joined(shared, own), 0, 0, rows, 0, rows, group, 0.3f));
      at.add(end);
      end += rows * width + random.nextInt(5);
    }
    float[] queries = new float[end];
    for (int i = 0; i < end; i++) {
      queries[i] = (float) random.nextGaussian();
    }
    float[] expected = new float[end];
    float[] together = new float[end];
    for (int i = 0; i < tasks.size(); i++) {
      kernels.attend(tasks.get(i), queries, expected, at.get(i), width, scratch);
    }
    int[] places = at.stream().mapToInt(i -> i).toArray();
    kernels.attendTogether(
        new AttentionGroup(tasks, places, shared.count()), queries, together, width, scratch);
    for (int i = 0; i < end; i++) {
      assertEquals(expected[i], together[i], 1e-5f, seed + ", " + layout + ", element " + i);
    }
  }

  private static KvSpans joined(KvSpans one, KvSpans other) {
    List<KvBlock> blocks = new ArrayList<>();
    List<Integer> counts = new ArrayList<>();
    for (KvSpans spans : List.of(one, other)) {
      for (int i = 0; i < spans.count(); i++) {
        blocks.add(spans.block(i));
        counts.add(spans.tokens(i));
      }
    }
    return KvSpans.of(blocks, counts.stream().mapToInt(i -> i).toArray());
  }

  private void run(Kernels kernels, Case c) {
    kernels.attend(
        new AttentionTask(c.spans, c.layer, c.kvHead, c.rows, c.fromRow, c.toRow, c.group, c.scale),
        c.queries,
        c.output,
        c.at,
        c.stride,
        scratch);
  }

  private void check(Kernels kernels, Case c) {
    run(kernels, c);
    float[] expected = c.expected();
    for (int i = 0; i < expected.length; i++) {
      float difference = Math.abs(expected[i] - c.output[i]);
      assertTrue(
          difference <= c.tolerance,
          () -> kernels.name() + " is off by " + difference + " in " + c);
    }
  }

  /** A random sequence of tokens, some new, in blocks that may be filled in part. */
  private static final class Case {
    final String seed;
    final KvLayout layout;
    final KvSpans spans;
    final int layer;
    final int kvHead;
    final int rows;
    final int fromRow;
    final int toRow;
    final int group;
    final float scale;
    final int at;
    final int stride;
    final float[] queries;
    final float[] output;
    final float tolerance;

    Case(Random random, float size, String seed) {
      this.seed = seed;
      KvDtype dtype = KvDtype.values()[Math.max(0, random.nextInt(8) - 4)];
      layout =
          new KvLayout(
              2,
              1 + random.nextInt(3),
              pick(random, HEAD_DIMS),
              pick(random, BLOCKS),
              size > 1 ? KvDtype.F32 : dtype);
      layer = random.nextInt(2);
      kvHead = random.nextInt(layout.kvHeads());
      int past =
          switch (random.nextInt(6)) {
            case 0, 1 -> 0;
            case 2 -> 400 + random.nextInt(1000); // more than a kernel takes at once
            default -> random.nextInt(150);
          };
      rows = random.nextInt(3) == 0 ? 1 : 1 + random.nextInt(40);
      fromRow = random.nextInt(rows);
      toRow = fromRow + 1 + random.nextInt(rows - fromRow);
      group = 1 + random.nextInt(4);
      scale = (float) (1 / Math.sqrt(layout.headDim()));
      spans = spans(random, layout, past + rows, size);
      at = random.nextInt(5);
      stride = group * layout.headDim() + random.nextInt(5);
      queries = new float[at + (toRow - fromRow) * stride];
      for (int i = 0; i < queries.length; i++) {
        queries[i] = size * (float) random.nextGaussian();
      }
      output = new float[queries.length];
      Arrays.fill(output, UNTOUCHED);
      // A score of 1e4 is off by up to 1e-2 in floats, and a weight as much.
      tolerance = size > 1 ? 0.05f * size : 2e-5f;
    }

    private static int pick(Random random, int[] choices) {
      return choices[random.nextInt(choices.length)];
    }

    /** Blocks of random tokens; slots that hold none hold NaN, which nothing may read. */
    static KvSpans spans(Random random, KvLayout layout, int tokens, float size) {
      boolean gaps = random.nextBoolean();
      List<KvBlock> blocks = new ArrayList<>();
      List<Integer> counts = new ArrayList<>();
      for (int left = tokens; left > 0; ) {
        int full = layout.blockTokens();
        int count = Math.min(left, gaps ? 1 + random.nextInt(full) : full);
        KvBlock block = new KvBlock(layout);
        for (int each = 0; each < layout.layers(); each++) {
          float[] keys = new float[full * layout.width()];
          float[] values = new float[keys.length];
          for (int i = 0; i < keys.length; i++) {
            boolean unused = i >= count * layout.width();
            keys[i] = unused ? Float.NaN : size * (float) random.nextGaussian();
            values[i] = unused ? Float.NaN : size * (float) random.nextGaussian();
          }
          block.write(each, 0, full, keys, values, 0);
        }
        blocks.add(block);
        counts.add(count);
        left -= count;
      }
      return KvSpans.of(blocks, counts.stream().mapToInt(i -> i).toArray());
    }

    float[] expected() {
      int headDim = layout.headDim();
      int width = layout.width();
      float[] keys = new float[spans.length() * width];
      float[] values = new float[keys.length];
      for (int span = 0, row = 0; span < spans.count(); row += spans.tokens(span++)) {
        spans.block(span).read(layer, 0, spans.tokens(span), keys, values, row);
      }
      float[] expected = new float[output.length];
      Arrays.fill(expected, UNTOUCHED);
      for (int row = fromRow; row < toRow; row++) {
        int visible = spans.length() - rows + row + 1;
        for (int head = 0; head < group; head++) {
          int from = at + (row - fromRow) * stride + head * headDim;
          double[] weights = new double[visible];
          double largest = Double.NEGATIVE_INFINITY;
          for (int t = 0; t < visible; t++) {
            for (int d = 0; d < headDim; d++) {
              weights[t] +=
                  (double) queries[from + d] * scale * keys[t * width + kvHead * headDim + d];
            }
            largest = Math.max(largest, weights[t]);
          }
          double sum = 0;
          for (int t = 0; t < visible; t++) {
            weights[t] = Math.exp(weights[t] - largest);
            sum += weights[t];
          }
          for (int d = 0; d < headDim; d++) {
            double mixed = 0;
            for (int t = 0; t < visible; t++) {
              mixed += weights[t] * values[t * width + kvHead * headDim + d];
            }
            expected[from + d] = (float) (mixed / sum);
          }
        }
      }
      return expected;
    }

    @Override
    public String toString() {
      return layout
          + ", KV head "
          + kvHead
          + ", group "
          + group
          + ", rows "
          + fromRow
          + " to "
          + toRow
          + " of "
          + rows
          + ", "
          + spans.length()
          + " tokens in "
          + spans.count()
          + " blocks, "
          + seed;
    }
  }
}
