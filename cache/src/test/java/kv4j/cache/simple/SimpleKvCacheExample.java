package kv4j.cache.simple;

import java.time.Duration;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/** The use of {@link SimpleKvCache} that the README shows. */
final class SimpleKvCacheExample {
  private SimpleKvCacheExample() {}

  static SimpleKvCache.Stats run() {
    INDArray k = Nd4j.rand(DataType.FLOAT, 480, 4, 32); // [tokens, kvHeads, headDim]
    INDArray v = Nd4j.rand(DataType.FLOAT, 480, 4, 32);
    // README: begin
    SimpleKvCache cache =
        SimpleKvCache.builder().maxBytes(1L << 30).timeToLive(Duration.ofHours(1)).build();
    String prefix = "You are a helpful assistant.";
    for (int request = 0; request < 10; request++) {
      for (int layer = 0; layer < 32; layer++) {
        if (cache.getCachedKv(prefix, layer).isEmpty()) { // only the first request computes
          cache.cacheKv(prefix, layer, k, v);
        }
      }
    }
    System.out.println(cache.stats().hitRatePercent() + " % hits"); // 90.0 % hits
    // README: end
    return cache.stats();
  }
}
