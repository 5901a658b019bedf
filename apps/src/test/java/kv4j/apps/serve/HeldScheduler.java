package kv4j.apps.serve;

import java.util.concurrent.CountDownLatch;
import kv4j.inference.GenerationRequest;
import kv4j.inference.schedule.Scheduler;
import kv4j.inference.schedule.Submission;

/**
 * Keeps a scheduler from computing anything until it is released, so that what a test does
 * meanwhile comes before any answer, however fast the machine computes. It is a running request.
 */
final class HeldScheduler implements AutoCloseable {
  private final CountDownLatch held = new CountDownLatch(1);
  private final CountDownLatch released = new CountDownLatch(1);
  private final Submission holder;
  private boolean counted; // what the scheduler tells of it is as of the last pass

  HeldScheduler(Scheduler scheduler) {
    holder = scheduler.submit(GenerationRequest.greedy(new int[] {1}, 2), this::hold);
    await(held);
  }

  private boolean hold(int token, float[] logits) {
    if (counted) {
      held.countDown();
      await(released);
    }
    counted = true;
    return true;
  }

  private static void await(CountDownLatch latch) {
    try {
      latch.await();
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }

  void release() {
    released.countDown();
    holder.result().join();
  }

  @Override
  public void close() {
    release();
  }
}
