package kv4j.inference.kernel;

import kv4j.cache.block.KvExpander;

/** The kernels in plain Java loops. */
final class PlainKernels implements Kernels {
  private final KvExpander expander = new KvExpander();

  @Override
  public String name() {
    return "plain";
  }

  @Override
  public void rmsNorm(
      float[] x, int xAt, float[] gain, float epsilon, int n, float[] out, int outAt) {
    float factor = (float) (1 / Math.sqrt(sumOfSquares(x, xAt, n, 0) / n + epsilon));
    for (int i = 0; i < n; i++) {
      out[outAt + i] = x[xAt + i] * factor * gain[i];
    }
  }

  @Override
  public void layerNorm(
      float[] x,
      int xAt,
      float[] gain,
      float[] bias,
      float epsilon,
      int n,
      float[] out,
      int outAt) {
    float mean = sum(x, xAt, n) / n;
    float factor = (float) (1 / Math.sqrt(sumOfSquares(x, xAt, n, mean) / n + epsilon));
    for (int i = 0; i < n; i++) {
      out[outAt + i] = (x[xAt + i] - mean) * factor * gain[i] + bias[i];
    }
  }

  /** Four sums side by side: the additions need not wait for each other. */
  private static float sum(float[] x, int at, int n) {
    float a = 0, b = 0, c = 0, d = 0;
    int i = 0;
    for (; i + 4 <= n; i += 4) {
      a += x[at + i];
      b += x[at + i + 1];
      c += x[at + i + 2];
      d += x[at + i + 3];
    }
    for (; i < n; i++) {
      a += x[at + i];
    }
    return a + b + (c + d);
  }

  private static float sumOfSquares(float[] x, int at, int n, float mean) {
    float a = 0, b = 0, c = 0, d = 0;
    int i = 0;
    for (; i + 4 <= n; i += 4) {
      float v = x[at + i] - mean, w = x[at + i + 1] - mean;
      float y = x[at + i + 2] - mean, z = x[at + i + 3] - mean;
      a += v * v;
      b += w * w;
      c += y * y;
      d += z * z;
    }
    for (; i < n; i++) {
      float v = x[at + i] - mean;
      a += v * v;
    }
    return a + b + (c + d);
  }

  @Override
  public void rotate(
      float[] x,
      int at,
      int heads,
      int headDim,
      float[] cos,
      float[] sin,
      int tableAt,
      boolean adjacent) {
    int half = headDim / 2;
    int step = adjacent ? 2 : 1;
    int apart = adjacent ? 1 : half;
    for (int head = 0, from = at; head < heads; head++, from += headDim) {
      for (int i = 0; i < half; i++) {
        int first = from + i * step;
        float a = x[first];
        float b = x[first + apart];
        x[first] = a * cos[tableAt + i] - b * sin[tableAt + i];
        x[first + apart] = a * sin[tableAt + i] + b * cos[tableAt + i];
      }
    }
  }

  @Override
  public void swiGlu(float[] gateUp, int at, int n, float[] out, int outAt) {
    for (int i = 0; i < n; i++) {
      float gate = gateUp[at + i];
      out[outAt + i] = gate / (1 + Exp.exp(-gate)) * gateUp[at + n + i];
    }
  }

  @Override
  public void gelu(float[] x, int at, int n, float[] out, int outAt) {
    for (int i = 0; i < n; i++) {
      float v = x[at + i];
      out[outAt + i] = v / (1 + Exp.exp(v * (Exp.GELU_LINEAR + Exp.GELU_CUBIC * v * v)));
    }
  }

  @Override
  public Product product(Weight weight) {
    return new BlasProduct(weight.array().get(), weight.outputsFirst());
  }

  @Override
  public void add(float[] x, int xAt, float[] delta, int deltaAt, int n) {
    for (int i = 0; i < n; i++) {
      x[xAt + i] += delta[deltaAt + i];
    }
  }

  @Override
  public void attend(
      AttentionTask task,
      float[] queries,
      float[] output,
      int at,
      int stride,
      AttentionScratch scratch) {
    int count = task.queries();
    if (count == 0) {
      return;
    }
    int headDim = task.headDim();
    int tile = task.spans().block(0).layout().tileTokens();
    int seenByLast = task.seenBy(count - 1);
    scratch.bind(task.spans(), task.layer(), task.kvHead(), seenByLast, expander);
    scratch.begin(1, 1, headDim, seenByLast);
    for (int query = 0; query < count; query++) {
      int visible = task.seenBy(query);
      int place = task.place(query, at, stride);
      scratch.take(0, 1, queries, place, headDim, task.scale());
      score(scratch, headDim, tile, visible);
      float sum = softmax(scratch.scores, visible);
      mix(scratch, headDim, visible, 1 / sum, output, place);
    }
    scratch.release();
  }

  /** Reads shared blocks for each sequence anew. */
  @Override
  public void attendTogether(
      AttentionGroup group, float[] queries, float[] output, int stride, AttentionScratch scratch) {
    for (int i = 0; i < group.tasks().size(); i++) {
      attend(group.tasks().get(i), queries, output, group.at()[i], stride, scratch);
    }
  }

  /** Scores of one query against the first {@code visible} tokens. */
  private static void score(AttentionScratch scratch, int headDim, int tile, int visible) {
    float[] query = scratch.queries;
    float[] scores = scratch.scores;
    for (int span = 0, first = 0; first < visible; first += scratch.tokens[span++]) {
      float[] keys = scratch.keys[span];
      int count = Math.min(scratch.tokens[span], visible - first);
      for (int t = 0; t < count; t += tile) {
        int from = scratch.keysAt[span] + t * headDim;
        scoreTile(query, keys, from, headDim, tile, scores, first + t, Math.min(tile, count - t));
      }
    }
  }

  private static void scoreTile(
      float[] query,
      float[] keys,
      int from,
      int headDim,
      int tile,
      float[] scores,
      int at,
      int count) {
    for (int t = 0; t < count; t++) {
      scores[at + t] = 0;
    }
    int d = 0;
    for (; d + 4 <= headDim; d += 4) {
      float a = query[d], b = query[d + 1], c = query[d + 2], e = query[d + 3];
      int ka = from + d * tile, kb = ka + tile, kc = kb + tile, ke = kc + tile;
      for (int t = 0; t < count; t++) {
        scores[at + t] +=
            a * keys[ka + t] + b * keys[kb + t] + (c * keys[kc + t] + e * keys[ke + t]);
      }
    }
    for (; d < headDim; d++) {
      float a = query[d];
      int ka = from + d * tile;
      for (int t = 0; t < count; t++) {
        scores[at + t] += a * keys[ka + t];
      }
    }
  }

  /** Turns scores into exp(score - largest score) and returns their sum. */
  private static float softmax(float[] scores, int visible) {
    float max = scores[0];
    for (int t = 1; t < visible; t++) {
      max = Math.max(max, scores[t]);
    }
    for (int t = 0; t < visible; t++) {
      scores[t] = Exp.exp(scores[t] - max);
    }
    return sum(scores, 0, visible);
  }

  /** The sum of values weighted by the scores, times {@code factor}. */
  private static void mix(
      AttentionScratch scratch, int headDim, int visible, float factor, float[] output, int out) {
    float[] weights = scratch.scores;
    for (int d = 0; d < headDim; d++) {
      output[out + d] = 0;
    }
    for (int span = 0, first = 0; first < visible; first += scratch.tokens[span++]) {
      float[] values = scratch.values[span];
      int from = scratch.valuesAt[span];
      int count = Math.min(scratch.tokens[span], visible - first);
      int t = 0;
      for (; t + 4 <= count; t += 4) {
        float a = weights[first + t] * factor, b = weights[first + t + 1] * factor;
        float c = weights[first + t + 2] * factor, e = weights[first + t + 3] * factor;
        int va = from + t * headDim, vb = va + headDim, vc = vb + headDim, ve = vc + headDim;
        for (int d = 0; d < headDim; d++) {
          output[out + d] +=
              a * values[va + d] + b * values[vb + d] + (c * values[vc + d] + e * values[ve + d]);
        }
      }
      for (; t < count; t++) {
        float a = weights[first + t] * factor;
        int va = from + t * headDim;
        for (int d = 0; d < headDim; d++) {
          output[out + d] += a * values[va + d];
        }
      }
    }
  }
}
