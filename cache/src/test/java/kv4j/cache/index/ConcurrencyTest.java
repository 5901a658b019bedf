package kv4j.cache.index;

import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.concurrent.atomic.AtomicLong;
import kv4j.cache.EvictionPolicy.Standard;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class ConcurrencyTest {
  @ParameterizedTest
  @EnumSource(Standard.class)
  void manyThreadsGetTheRightTokensAndLeaveTheBooksStraight(Standard policy)
      throws InterruptedException {
    Traffic traffic = new Traffic(60, policy, 500);
    AtomicLong left = new AtomicLong(20_000);
    traffic.run(8, policy.ordinal(), () -> left.decrementAndGet() >= 0);
    assertTrue(traffic.cachedTokens.get() > 20_000, traffic.cachedTokens + " cached tokens");
  }

  @Test
  void aBudgetOfOneBlockIsEnoughToGoOn() throws InterruptedException {
    Traffic traffic = new Traffic(2, Standard.LRU, 0);
    AtomicLong left = new AtomicLong(5_000);
    traffic.run(8, 4, () -> left.decrementAndGet() >= 0);
    assertTrue(traffic.cachedTokens.get() > 0);
  }
}
