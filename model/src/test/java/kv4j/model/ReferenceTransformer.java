package kv4j.model;

import static kv4j.model.GraphNames.inLayer;

import java.util.Arrays;
import kv4j.model.TransformerConfig.Activation;
import kv4j.model.TransformerConfig.Norm;
import kv4j.model.TransformerConfig.RopePairing;

/** The forward pass in plain loops over doubles, written from the formulas. */
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
      if (config.positions() instanceof Positions.Learned) {
        add(rows[t], matrix(GraphNames.POSITION_EMBEDDING)[t]);
      }
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
      double[] x = norm(rows[t], "final_norm");
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
    for (int t = 0; t < rows.length; t++) {
      qkv[t] = project(norm(rows[t], inLayer(layer, "attention/norm")), layer, "attention/qkv");
      for (int head = 0; head < config.heads() + config.kvHeads(); head++) {
        if (config.block().headNorms()) {
          normHead(qkv[t], head, matrix(inLayer(layer, GraphNames.HEAD_NORM_GAIN))[head]);
        }
        if (config.positions() instanceof Positions.Rotary rotary) {
          rotate(qkv[t], head * headDim, t, rotary);
        }
      }
    }
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
      add(rows[t], project(attended, layer, "attention/output"));
    }
  }

  private void normHead(double[] qkv, int head, double[] gain) {
    int start = head * config.headDim();
    double squares = 0;
    for (int d = 0; d < gain.length; d++) {
      squares += qkv[start + d] * qkv[start + d];
    }
    for (int d = 0; d < gain.length; d++) {
      qkv[start + d] *= gain[d] / Math.sqrt(squares / gain.length + config.normEpsilon());
    }
  }

  private void rotate(double[] vector, int start, int position, Positions.Rotary rotary) {
    int pairs = config.headDim() / 2;
    boolean adjacent = rotary.pairing() == RopePairing.ADJACENT;
    for (int i = 0; i < pairs; i++) {
      double angle =
          position
              / Math.pow(rotary.theta(), 2.0 * i / config.headDim())
              / rotary.scaling().divisor(i);
      int a = start + (adjacent ? 2 * i : i);
      int b = start + (adjacent ? 2 * i + 1 : i + pairs);
      double x = vector[a];
      double y = vector[b];
      vector[a] = x * Math.cos(angle) - y * Math.sin(angle);
      vector[b] = x * Math.sin(angle) + y * Math.cos(angle);
    }
  }

  private void feedForward(int layer, double[] row) {
    double[] normed = norm(row, inLayer(layer, "ffn/norm"));
    double[] activated = new double[config.ffnDim()];
    if (config.block().activation() == Activation.SWIGLU) {
      double[] gateUp = project(normed, layer, "ffn/gate_up");
      for (int i = 0; i < activated.length; i++) {
        activated[i] = gateUp[i] / (1 + Math.exp(-gateUp[i])) * gateUp[config.ffnDim() + i];
      }
    } else {
      double[] up = project(normed, layer, "ffn/up");
      for (int i = 0; i < activated.length; i++) {
        double inner = Math.sqrt(2 / Math.PI) * (up[i] + 0.044715 * Math.pow(up[i], 3));
        activated[i] = 0.5 * up[i] * (1 + Math.tanh(inner));
      }
    }
    add(row, project(activated, layer, "ffn/down"));
  }

  private double[] project(double[] x, int layer, String name) {
    double[] result = times(x, matrix(inLayer(layer, name + "/weight")));
    String bias = inLayer(layer, name + "/bias");
    if (weights.arrays().containsKey(bias)) {
      add(result, weights.get(bias).toDoubleVector());
    }
    return result;
  }

  private double[] norm(double[] x, String name) {
    boolean layerNorm = config.block().norm() == Norm.LAYER;
    double mean = layerNorm ? Arrays.stream(x).average().orElseThrow() : 0;
    double[] gain = weights.get(name + "/gain").toDoubleVector();
    double[] bias = layerNorm ? weights.get(name + "/bias").toDoubleVector() : null;
    double squares = 0;
    for (double value : x) {
      squares += (value - mean) * (value - mean);
    }
    double scale = 1 / Math.sqrt(squares / x.length + config.normEpsilon());
    double[] result = new double[x.length];
    for (int i = 0; i < x.length; i++) {
      result[i] = (x[i] - mean) * scale * gain[i] + (layerNorm ? bias[i] : 0);
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
