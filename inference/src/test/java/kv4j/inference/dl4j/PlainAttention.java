package kv4j.inference.dl4j;

import org.nd4j.linalg.api.ndarray.INDArray;

/** Causal attention by its definition, one sequence, in doubles. */
final class PlainAttention {
  private PlainAttention() {}

  /**
   * @param input {@code [steps][nIn]}
   * @param output {@code [heads * headSize, nOut]}, the other weights {@code [nIn, heads *
   *     headSize]}
   * @return {@code [steps][nOut]}
   */
  static double[][] run(
      double[][] input, int heads, INDArray query, INDArray key, INDArray value, INDArray output) {
    double[][] queries = times(input, query);
    double[][] keys = times(input, key);
    double[][] values = times(input, value);
    int size = queries[0].length / heads;
    double[][] mixed = new double[input.length][heads * size];
    for (int step = 0; step < input.length; step++) {
      for (int head = 0; head < heads; head++) {
        double[] weights = new double[step + 1];
        double sum = 0;
        for (int seen = 0; seen <= step; seen++) {
          double score = 0;
          for (int d = head * size; d < (head + 1) * size; d++) {
            score += queries[step][d] * keys[seen][d];
          }
          weights[seen] = Math.exp(score / Math.sqrt(size));
          sum += weights[seen];
        }
        for (int seen = 0; seen <= step; seen++) {
          for (int d = head * size; d < (head + 1) * size; d++) {
            mixed[step][d] += weights[seen] / sum * values[seen][d];
          }
        }
      }
    }
    return times(mixed, output);
  }

  private static double[][] times(double[][] rows, INDArray weight) {
    double[][] matrix = weight.toDoubleMatrix();
    double[][] product = new double[rows.length][matrix[0].length];
    for (int r = 0; r < rows.length; r++) {
      for (int i = 0; i < matrix.length; i++) {
        for (int c = 0; c < matrix[i].length; c++) {
          product[r][c] += rows[r][i] * matrix[i][c];
        }
      }
    }
    return product;
  }
}
