package kv4j.apps.bench;

import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.function.IntConsumer;
import java.util.stream.IntStream;

/**
 * Threads that all run the same work at once, to measure how often per second they can together.
 */
final class Team implements AutoCloseable {
  private static final int TRIALS = 10;
  private static final long TRIAL_NANOS = 30_000_000;

  private final int threads;
  private final ExecutorService executor;

  Team(int threads) {
    this.threads = threads;
    executor = Executors.newFixedThreadPool(threads);
  }

  int threads() {
    return threads;
  }

  /**
   * How often per second all threads together can do something: the best of 10 trials of 30 ms, of
   * which the first also warm up.
   *
   * @param work done over and over; given the number of the thread. Short beside 30 ms
   */
  double timesPerSecond(IntConsumer work) {
    List<Callable<Double>> tasks =
        IntStream.range(0, threads)
            .<Callable<Double>>mapToObj(thread -> () -> rate(thread, work))
            .toList();
    double best = 0;
    for (int i = 0; i < TRIALS; i++) {
      best = Math.max(best, sum(tasks));
    }
    return best;
  }

  private static double rate(int thread, IntConsumer work) {
    long start = System.nanoTime();
    long nanos = 0;
    int times = 0;
    while (nanos < TRIAL_NANOS) {
      work.accept(thread);
      times++;
      nanos = System.nanoTime() - start;
    }
    return times * 1e9 / nanos;
  }

  private double sum(List<Callable<Double>> tasks) {
    double sum = 0;
    try {
      for (Future<Double> rate : executor.invokeAll(tasks)) {
        sum += rate.get();
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("interrupted", e);
    } catch (ExecutionException e) {
      throw new IllegalStateException(e.getCause());
    }
    return sum;
  }

  @Override
  public void close() {
    executor.shutdownNow();
  }
}
