package kv4j.apps.measure;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import kv4j.apps.cli.Terminal;
import kv4j.cache.KvCache;
import kv4j.cache.KvCacheConfig;
import kv4j.cache.basic.NoCacheProvider;
import kv4j.cache.block.KvDtype;
import kv4j.cache.block.KvLayout;
import org.junit.jupiter.api.Test;

class ProgressListenerTest {
  @Test
  void showsEveryStepAndHandsOnTheCache() {
    ByteArrayOutputStream err = new ByteArrayOutputStream();
    Terminal terminal =
        new Terminal(
            new PrintStream(OutputStream.nullOutputStream()), new PrintStream(err), false, true);
    List<KvCache> seen = new ArrayList<>();
    ProgressListener listener = new ProgressListener("measuring", terminal, seen::add);
    KvLayout layout = new KvLayout(1, 1, 2, 16, KvDtype.F32);
    try (KvCache cache = new NoCacheProvider().create(KvCacheConfig.of(layout, 1))) {
      listener.start(2);
      listener.step("first");
      listener.step("second");
      listener.finished(cache);
      listener.end();
      assertEquals(List.of(cache), seen);
    }
    String shown = err.toString(StandardCharsets.UTF_8);
    assertTrue(shown.contains("measuring"), shown);
  }
}
