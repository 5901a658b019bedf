package kv4j.cache.example;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.stream.IntStream;
import kv4j.cache.KvCache;
import kv4j.cache.KvCacheConfig;
import kv4j.cache.KvRequest;
import kv4j.cache.KvSequence;
import kv4j.cache.block.KvDtype;
import kv4j.cache.block.KvLayout;
import kv4j.cache.block.KvSpans;
import kv4j.cache.radix.RadixKvCache;
import kv4j.cache.store.BlockStore;
import kv4j.cache.store.BlockStores;
import kv4j.cache.store.StoreConfig;
import kv4j.cache.store.StoreOptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The code that the documentation shows, run as it stands there. */
class DocumentedUseTest {
  private final List<Integer> attended = new ArrayList<>();

  @Test
  void keepsWhatYourOwnAttentionComputes() {
    List<Integer> found = new ArrayList<>();
    // 32 layers, 4 KV heads of 64 numbers each, blocks of 16 tokens
    KvLayout layout = new KvLayout(32, 4, 64, 16, KvDtype.F32);
    try (KvCache cache = new RadixKvCache(KvCacheConfig.of(layout, 512L << 20))) {
      int[] prompt = IntStream.range(0, 100).toArray(); // token ids
      for (int request = 0; request < 2; request++) {
        try (KvSequence sequence = cache.open(KvRequest.of(prompt))) {
          int cached = sequence.begin();
          int rest = prompt.length - cached; // the tokens to compute
          for (int layer = 0; layer < layout.layers(); layer++) {
            float[] keys = new float[rest * layout.width()]; // what your model computes
            float[] values = new float[rest * layout.width()];
            attend(layer, sequence.update(layer, keys, values, 0, rest)); // over all 100
          }
          sequence.commit(prompt);
          System.out.println(cached + " of 100 tokens cached"); // 0, then 99
          found.add(cached);
        }
      }
    }
    assertEquals(List.of(0, 99), found);
    assertEquals(Collections.nCopies(2 * 32, 100), attended);
  }

  /** docs/stores.md */
  @Test
  void findsAfterARestartWhatIsInAStore(@TempDir Path temporary) {
    String folder = temporary.toString();
    KvLayout layout = new KvLayout(2, 4, 64, 16, KvDtype.F32);
    KvRequest request = KvRequest.of(IntStream.range(0, 100).toArray());
    for (int expected : new int[] {0, 96}) {
      ClassLoader plugins = getClass().getClassLoader();
      try (BlockStore store = BlockStores.open("disk", StoreOptions.of(folder), plugins)) {
        store.ready().join(); // or go on, and compute meanwhile
        StoreConfig config =
            new StoreConfig(store, StoreConfig.When.COMMIT, 64, KvDtype.F32, Duration.ofSeconds(2));
        try (KvCache cache =
            new RadixKvCache(KvCacheConfig.of(layout, 1L << 30).withStore(config))) {
          try (KvSequence sequence = cache.open(request)) { // reads what memory lacks
            assertEquals(expected, sequence.begin());
            int rest = 100 - expected;
            for (int layer = 0; layer < layout.layers(); layer++) {
              float[] rows = new float[rest * layout.width()];
              sequence.update(layer, rows, rows, 0, rest);
            }
            sequence.commit(request.prompt());
          }
        }
      }
    }
  }

  private void attend(int layer, KvSpans spans) {
    attended.add(spans.length());
  }
}
