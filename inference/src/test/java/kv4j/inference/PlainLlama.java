package kv4j.inference;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.IntBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.function.DoubleUnaryOperator;
import java.util.stream.IntStream;

/**
 * The transformer of a llama2.c file with tied embeddings, token by token in plain loops and
 * doubles: a reference that shares nothing with the engine, not even the reader. What attention
 * computes in lower precision elsewhere can be rounded at the same places.
 */
final class PlainLlama {
  private static final int HEADER = 7;
  private static final double EPSILON = 1e-5;

  private final int dim;
  private final int ffnDim;
  private final int layers;
  private final int heads;
  private final int kvHeads;
  private final int headDim;
  private final float[] embedding;
  private final float[] attentionNorm;
  private final float[] query;
  private final float[] key;
  private final float[] value;
  private final float[] output;
  private final float[] ffnNorm;
  private final float[] gate;
  private final float[] down;
  private final float[] up;
  private final float[] finalNorm;

  PlainLlama(Path file) throws IOException {
    ByteBuffer in = ByteBuffer.wrap(Files.readAllBytes(file)).order(ByteOrder.LITTLE_ENDIAN);
    IntBuffer header = in.asIntBuffer();
    dim = header.get();
    ffnDim = header.get();
    layers = header.get();
    heads = header.get();
    kvHeads = header.get();
    headDim = dim / heads;
    int vocabulary = header.get();
    in.position(HEADER * Integer.BYTES);
    embedding = floats(in, vocabulary * dim);
    attentionNorm = floats(in, layers * dim);
    query = floats(in, layers * dim * dim);
    key = floats(in, layers * kvHeads * headDim * dim);
    value = floats(in, layers * kvHeads * headDim * dim);
    output = floats(in, layers * dim * dim);
    ffnNorm = floats(in, layers * dim);
    gate = floats(in, layers * ffnDim * dim);
    down = floats(in, layers * dim * ffnDim);
    up = floats(in, layers * ffnDim * dim);
    finalNorm = floats(in, dim);
  }

  private static float[] floats(ByteBuffer in, int count) {
    float[] floats = new float[count];
    in.asFloatBuffer().get(floats);
    in.position(in.position() + count * Float.BYTES);
    return floats;
  }

  /**
   * How probable each token is after some.
   *
   * @param rounding of queries, keys and values, and of the sum over values after each of them, as
   *     an attention that works in fewer bits has it
   */
  double[] probabilities(int[] tokens, DoubleUnaryOperator rounding) {
    double[][][] keys = new double[layers][tokens.length][];
    double[][][] values = new double[layers][tokens.length][];
    double[] x = {};
    for (int position = 0; position < tokens.length; position++) {
      int row = tokens[position] * dim;
      x = IntStream.range(row, row + dim).mapToDouble(i -> embedding[i]).toArray();
      for (int layer = 0; layer < layers; layer++) {
        double[] normed = norm(x, attentionNorm, layer);
        double[] queries = rotated(project(query, layer, normed, dim), position);
        double[] k = rotated(project(key, layer, normed, kvHeads * headDim), position);
        double[] v = project(value, layer, normed, kvHeads * headDim);
        queries = Arrays.stream(queries).map(rounding).toArray();
        keys[layer][position] = Arrays.stream(k).map(rounding).toArray();
        values[layer][position] = Arrays.stream(v).map(rounding).toArray();
        double[] attended = attend(queries, keys[layer], values[layer], position, rounding);
        add(x, project(output, layer, attended, dim));
        normed = norm(x, ffnNorm, layer);
        double[] hidden = project(gate, layer, normed, ffnDim);
        double[] factors = project(up, layer, normed, ffnDim);
        for (int i = 0; i < ffnDim; i++) {
          hidden[i] *= factors[i] / (1 + Math.exp(-hidden[i]));
        }
        add(x, project(down, layer, hidden, dim));
      }
    }
    return softmax(project(embedding, 0, norm(x, finalNorm, 0), embedding.length / dim));
  }

  /** In one go over the keys, the sum taken smaller whenever a score exceeds those before it. */
  private double[] attend(
      double[] queries,
      double[][] keys,
      double[][] values,
      int position,
      DoubleUnaryOperator rounding) {
    double[] out = new double[dim];
    for (int head = 0; head < heads; head++) {
      int q = head * headDim;
      int kv = head * kvHeads / heads * headDim;
      double max = Double.NEGATIVE_INFINITY;
      double total = 0;
      for (int other = 0; other <= position; other++) {
        double score = 0;
        for (int i = 0; i < headDim; i++) {
          score += queries[q + i] * keys[other][kv + i] / Math.sqrt(headDim);
        }
        if (score > max) {
          total *= Math.exp(max - score);
          for (int i = 0; i < headDim; i++) {
            out[q + i] = rounding.applyAsDouble(out[q + i] * Math.exp(max - score));
          }
          max = score;
        }
        double weight = Math.exp(score - max);
        total += weight;
        for (int i = 0; i < headDim; i++) {
          out[q + i] = rounding.applyAsDouble(out[q + i] + weight * values[other][kv + i]);
        }
      }
      for (int i = 0; i < headDim; i++) {
        out[q + i] /= total;
      }
    }
    return out;
  }

  /** Adjacent pairs turn by angles that shrink from pair to pair. */
  private double[] rotated(double[] vectors, int position) {
    double[] rotated = new double[vectors.length];
    for (int i = 0; i < vectors.length; i += 2) {
      double angle = position * Math.pow(10000, -(double) (i % headDim) / headDim);
      rotated[i] = vectors[i] * Math.cos(angle) - vectors[i + 1] * Math.sin(angle);
      rotated[i + 1] = vectors[i] * Math.sin(angle) + vectors[i + 1] * Math.cos(angle);
    }
    return rotated;
  }

  private double[] norm(double[] x, float[] gains, int layer) {
    double squares = Arrays.stream(x).map(value -> value * value).sum();
    double scale = 1 / Math.sqrt(squares / dim + EPSILON);
    return IntStream.range(0, dim)
        .mapToDouble(i -> x[i] * scale * gains[layer * dim + i])
        .toArray();
  }

  /** Rows {@code [out, in]} of a layer's matrix times a vector. */
  private static double[] project(float[] matrices, int layer, double[] in, int out) {
    double[] result = new double[out];
    for (int row = 0; row < out; row++) {
      int from = (layer * out + row) * in.length;
      for (int i = 0; i < in.length; i++) {
        result[row] += matrices[from + i] * in[i];
      }
    }
    return result;
  }

  private static void add(double[] x, double[] more) {
    Arrays.setAll(x, i -> x[i] + more[i]);
  }

  private static double[] softmax(double[] logits) {
    double max = Arrays.stream(logits).max().getAsDouble();
    double[] shares = Arrays.stream(logits).map(logit -> Math.exp(logit - max)).toArray();
    double sum = Arrays.stream(shares).sum();
    return Arrays.stream(shares).map(share -> share / sum).toArray();
  }

  /** The nearest number of IEEE 754's half precision, of two the even one. */
  static double toHalf(double value) {
    double unit = Math.scalb(1.0, Math.max(Math.getExponent(value), -14) - 10);
    return Math.rint(value / unit) * unit;
  }
}
