package kv4j.apps.bench;

import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import kv4j.apps.workload.Spread;
import kv4j.inference.Blas;
import kv4j.model.GraphNames;
import kv4j.model.Model;
import org.nd4j.autodiff.samediff.internal.InferenceSession;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Environment;
import org.nd4j.linalg.factory.Nd4j;

/**
 * Times a model's graph on SameDiff's own session, for comparison. The graph has no past, so each
 * pass runs the new tokens as a sequence of their own. That favours SameDiff: where the engine's
 * pass also attends to tokens that are in place, this one has less to compute. On the other hand it
 * computes the logits of every row.
 */
public final class StockTimer {
  private static final long SEED = 1;

  private StockTimer() {}

  /**
   * Times passes; BLAS and ND4J's ops take {@code threads} threads meanwhile, and BLAS one
   * afterwards, as kv4j's engine has it. No engine may be at work: BLAS's own threads spin.
   *
   * @param passes whose rows are run
   * @param patience rounds without improvement that end the warm-up
   * @param rounds to measure; passes of few rows run four times in each
   * @param afterRound told after each of those
   * @return ms, in the order of the passes
   */
  public static Map<Pass, Spread> time(
      Model model, int threads, List<Pass> passes, int patience, int rounds, Runnable afterRound) {
    Environment environment = Nd4j.getEnvironment();
    int opThreads = environment.maxMasterThreads();
    InferenceSession session = new InferenceSession(model.graph());
    Blas.useThreads(threads);
    environment.setMaxMasterThreads(Math.min(threads, opThreads));
    try {
      return PassTimer.inTurns(
          passes, pass -> millis(session, model, pass.rows()), patience, rounds, afterRound);
    } finally {
      environment.setMaxMasterThreads(opThreads);
      Blas.useOneThread();
    }
  }

  private static double millis(InferenceSession session, Model model, int rows) {
    int vocabulary = model.config().vocabulary();
    try (INDArray tokens =
            Nd4j.createFromArray(new SplittableRandom(SEED).ints(rows, 0, vocabulary).toArray());
        INDArray positions = Nd4j.createFromArray(IntStream.range(0, rows).toArray())) {
      Map<String, INDArray> placeholders =
          Map.of(GraphNames.TOKENS, tokens, GraphNames.POSITIONS, positions);
      long start = System.nanoTime();
      Map<String, INDArray> outputs =
          session.output(List.of(GraphNames.LOGITS), placeholders, null, List.of(), null, null);
      double millis = (System.nanoTime() - start) / 1e6;
      outputs.get(GraphNames.LOGITS).close();
      return millis;
    }
  }
}
