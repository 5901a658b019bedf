package kv4j.inference.plan;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicIntegerArray;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@Timeout(value = 60, unit = TimeUnit.SECONDS, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class WorkerPoolTest {
  @ParameterizedTest
  @ValueSource(ints = {1, 2, 3, 5})
  void everyWorkerRunsEveryTaskOnceAndRunWaitsForAll(int workers) {
    int tasks = 2_000;
    AtomicIntegerArray runs = new AtomicIntegerArray(workers);
    try (WorkerPool pool = new WorkerPool(workers)) {
      assertEquals(workers, pool.workers());
      for (int task = 1; task <= tasks; task++) {
        pool.run(runs::incrementAndGet);
        for (int w = 0; w < workers; w++) {
          assertEquals(task, runs.get(w), "worker " + w);
        }
      }
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 3, 5})
  void nobodyPassesABarrierBeforeAllHaveComeToIt(int workers) {
    int rounds = 300;
    int[] written = new int[workers]; // plain memory: the barrier alone makes it visible
    AtomicInteger wrong = new AtomicInteger();
    try (WorkerPool pool = new WorkerPool(workers)) {
      pool.run(
          worker -> {
            for (int round = 1; round <= rounds; round++) {
              written[worker] = round;
              pool.barrier();
              int expected = round;
              if (Arrays.stream(written).anyMatch(value -> value != expected)) {
                wrong.incrementAndGet();
              }
              pool.barrier();
            }
          });
    }
    assertEquals(0, wrong.get());
    assertTrue(Arrays.stream(written).allMatch(value -> value == rounds));
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 3})
  void whatAnyWorkerThrowsIsThrownToTheCallerAndTheNextTaskRuns(int workers) {
    try (WorkerPool pool = new WorkerPool(workers)) {
      for (int failing = 0; failing < workers; failing++) {
        int number = failing;
        RuntimeException failure = new RuntimeException("worker " + number);
        RuntimeException thrown =
            assertThrows(
                RuntimeException.class,
                () ->
                    pool.run(
                        worker -> {
                          if (worker == number) {
                            throw failure;
                          }
                        }));
        assertSame(failure, thrown);
        AtomicInteger runs = new AtomicInteger();
        pool.run(
            worker -> {
              assertFalse(pool.failed());
              runs.incrementAndGet();
            });
        assertEquals(workers, runs.get());
      }
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 3})
  void aRecordedFailureIsSeenAfterTheBarrierAndThrown(int workers) {
    RuntimeException failure = new RuntimeException("recorded");
    AtomicInteger saw = new AtomicInteger();
    try (WorkerPool pool = new WorkerPool(workers)) {
      RuntimeException thrown =
          assertThrows(
              RuntimeException.class,
              () ->
                  pool.run(
                      worker -> {
                        if (worker == 0) {
                          pool.fail(failure);
                        }
                        pool.barrier();
                        if (pool.failed()) {
                          saw.incrementAndGet();
                        }
                      }));
      assertSame(failure, thrown);
      assertEquals(workers, saw.get());
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2})
  void anErrorIsTheCauseOfWhatIsThrown(int workers) {
    Error error = new StackOverflowError("too deep");
    try (WorkerPool pool = new WorkerPool(workers)) {
      RuntimeException thrown =
          assertThrows(
              IllegalStateException.class,
              () ->
                  pool.run(
                      worker -> {
                        throw error;
                      }));
      assertSame(error, thrown.getCause());
    }
  }
}
