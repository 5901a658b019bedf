package kv4j.apps.bench;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.Map;
import kv4j.apps.workload.Spread;
import kv4j.model.DemoModels;
import kv4j.model.Model;
import kv4j.model.ModelPreset;
import org.bytedeco.openblas.global.openblas_nolapack;
import org.junit.jupiter.api.Test;
import org.nd4j.linalg.factory.Nd4j;

class StockTimerTest {
  @Test
  void runsEveryPassAndLeavesOneThreadToBlas() {
    Model model = DemoModels.create(ModelPreset.TINY, 1);
    int opThreads = Nd4j.getEnvironment().maxMasterThreads();
    int[] threadsMeanwhile = {0};
    List<Pass> passes = Pass.around(100);
    Map<Pass, Spread> times =
        StockTimer.time(
            model,
            2,
            passes,
            0,
            1,
            () -> threadsMeanwhile[0] = openblas_nolapack.blas_get_num_threads());
    assertEquals(passes, List.copyOf(times.keySet()));
    assertTrue(times.values().stream().allMatch(ms -> ms.min() > 0), times.toString());
    assertEquals(2, threadsMeanwhile[0]);
    assertEquals(1, openblas_nolapack.blas_get_num_threads());
    assertEquals(opThreads, Nd4j.getEnvironment().maxMasterThreads());
  }
}
