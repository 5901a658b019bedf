package kv4j.model;

import static kv4j.model.GraphNames.inLayer;

import kv4j.model.TransformerConfig.RopePairing;

/** The Llama forward pass in plain loops over doubles, written from the formulas. */
final class ReferenceTransformer {
  private final TransformerConfig config;
  private final TransformerWeights weights;

  ReferenceTransformer(TransformerWeights weights) {
    this.config = weights.config();
    this.weights = weights;
  }

  /** Logits {@code [tokens, vocabulary]} of a whole sequence from position 0. */
  double[][] logits(int[] tokens) {
    double[][] embedding = matrix(GraphNames.TOKEN_EMBEDDING);
    double[][] rows = new double[tokens.length][];
    for (int t = 0; t < tokens.length; t++) {
      rows[t] = embedding[tokens[t]].clone();
    }
    for (int layer = 0; layer < config.layers(); layer++) {
      attention(layer, rows);
      for (double[] row : rows) {
        feedForward(layer, row);
      }
    }
    double[][] result = new double[tokens.length][config.vocabulary()];
    double[][] output = config.tiedOutput() ? null : matrix(GraphNames.OUTPUT_WEIGHT);
    for (int t = 0; t < tokens.length; t++) {
      double[] x = norm(rows[t], GraphNames.FINAL_NORM_GAIN);
      for (int v = 0; v < config.vocabulary(); v++) {
        for (int d = 0; d < config.dim(); d++) {
          result[t][v] += x[d] * (config.tiedOutput() ? embedding[v][d] : output[d][v]);
        }
      }
    }
    return result;
  }

  private void attention(int layer, double[][] rows) {
    int headDim = config.headDim();
    double[][] qkv = new double[rows.length][];
    double[][] weight = matrix(inLayer(layer, GraphNames.QKV_WEIGHT));
    for (int t = 0; t < rows.length; t++) {
      qkv[t] = times(norm(rows[t], inLayer(layer, GraphNames.ATTENTION_NORM_GAIN)), weight);
      for (int head = 0; head < config.heads() + config.kvHeads(); head++) {
        rotate(qkv[t], head * headDim, t);
      }
    }
    double[][] output = matrix(inLayer(layer, GraphNames.ATTENTION_OUTPUT_WEIGHT));
    for (int t = 0; t < rows.length; t++) {
      double[] attended = new double[config.heads() * headDim];
      for (int head = 0; head < config.heads(); head++) {
        int kvHead = head / (config.heads() / config.kvHeads());
        int key = (config.heads() + kvHead) * headDim;
        int value = key + config.kvHeads() * headDim;
        double[] shares = new double[t + 1];
        double total = 0;
        for (int s = 0; s <= t; s++) {
          double score = 0;
          for (int d = 0; d < headDim; d++) {
            score += qkv[t][head * headDim + d] * qkv[s][key + d];
          }
          shares[s] = Math.exp(score / Math.sqrt(headDim));
          total += shares[s];
        }
        for (int s = 0; s <= t; s++) {
          for (int d = 0; d < headDim; d++) {
            attended[head * headDim + d] += shares[s] / total * qkv[s][value + d];
          }
        }
      }
      add(rows[t], times(attended, output));
    }
  }

  private void rotate(double[] vector, int start, int position) {
    int pairs = config.headDim() / 2;
    boolean adjacent = config.ropePairing() == RopePairing.ADJACENT;
    for (int i = 0; i < pairs; i++) {
      double angle = position / Math.pow(config.ropeTheta(), 2.0 * i / config.headDim());
      int a = start + (adjacent ? 2 * i : i);
      int b = start + (adjacent ? 2 * i + 1 : i + pairs);
      double x = vector[a];
      double y = vector[b];
      vector[a] = x * Math.cos(angle) - y * Math.sin(angle);
      vector[b] = x * Math.sin(angle) + y * Math.cos(angle);
    }
  }

  private void feedForward(int layer, double[] row) {
    double[] gateUp =
        times(
            norm(row, inLayer(layer, GraphNames.FFN_NORM_GAIN)),
            matrix(inLayer(layer, GraphNames.GATE_UP_WEIGHT)));
    double[] activated = new double[config.ffnDim()];
    for (int i = 0; i < activated.length; i++) {
      activated[i] = gateUp[i] / (1 + Math.exp(-gateUp[i])) * gateUp[config.ffnDim() + i];
    }
    add(row, times(activated, matrix(inLayer(layer, GraphNames.DOWN_WEIGHT))));
  }

  private double[] norm(double[] x, String gainName) {
    double[] gain = weights.get(gainName).toDoubleVector();
    double squares = 0;
    for (double value : x) {
      squares += value * value;
    }
    double scale = 1 / Math.sqrt(squares / x.length + config.normEpsilon());
    double[] result = new double[x.length];
    for (int i = 0; i < x.length; i++) {
      result[i] = x[i] * scale * gain[i];
    }
    return result;
  }

  private double[][] matrix(String name) {
    return weights.get(name).toDoubleMatrix();
  }

  private static double[] times(double[] row, double[][] matrix) {
    double[] result = new double[matrix[0].length];
    for (int i = 0; i < row.length; i++) {
      for (int j = 0; j < result.length; j++) {
        result[j] += row[i] * matrix[i][j];
      }
    }
    return result;
  }

  private static void add(double[] row, double[] more) {
    for (int i = 0; i < row.length; i++) {
      row[i] += more[i];
    }
  }
}
