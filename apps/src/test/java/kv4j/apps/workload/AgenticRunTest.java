package kv4j.apps.workload;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import kv4j.apps.workload.AgenticRun.Step;
import kv4j.model.ByteTokenizer;
import org.junit.jupiter.api.Test;

class AgenticRunTest {
  private static final ByteTokenizer BYTES = new ByteTokenizer();

  @Test
  void eachStepGoesOnWhereItsAgentStopped() {
    AgenticRun run =
        new AgenticRun(
            "small",
            List.of("Rules."),
            Map.of("ann", "Think.", "bob", "Do."),
            List.of(new Step("ann", "one"), new Step("bob", "two"), new Step("ann", "three")));
    List<WorkloadRequest> requests = run.workload(BYTES, 4).requests();
    assertEquals(
        List.of(
            "Rules.\nYou are the ann. Think.\none\n",
            "Rules.\nYou are the bob. Do.\ntwo\n",
            "Rules.\nYou are the ann. Think.\none\nthree\n"),
        requests.stream().map(r -> BYTES.decode(r.prompt())).toList());
    assertEquals(List.of("ann", "bob", "ann"), requests.stream().map(r -> r.group()).toList());
    assertEquals(List.of(8, 8, 8), requests.stream().map(r -> r.sharedPrefixTokens()).toList());
  }

  @Test
  void theShippedRunIsFiftyRequestsOfAgentsWhoseContextsGrow() {
    Workload workload = AgenticRun.shipped().workload(BYTES, 16);
    assertEquals(50, workload.requests().size());
    Map<String, int[]> last = new HashMap<>();
    int switches = 0;
    WorkloadRequest first = workload.requests().get(0);
    WorkloadRequest previous = first;
    for (WorkloadRequest request : workload.requests()) {
      int shared = request.sharedPrefixTokens();
      assertTrue(shared >= 1400 && shared <= 1700, shared + " shared tokens");
      assertArrayEquals(
          Arrays.copyOf(first.prompt(), shared), Arrays.copyOf(request.prompt(), shared));
      assertTrue(request.prompt().length <= 3500, request.prompt().length + " tokens");
      int[] before = last.put(request.group(), request.prompt());
      if (before != null) {
        int grown = request.prompt().length - before.length;
        assertArrayEquals(before, Arrays.copyOf(request.prompt(), before.length));
        assertTrue(grown >= 60 && grown <= 160, grown + " tokens more");
      }
      switches += request.group().equals(previous.group()) ? 0 : 1;
      previous = request;
    }
    assertTrue(last.size() >= 5, last.keySet() + " are too few agents");
    assertTrue(switches >= 20, "agents take turns only " + switches + " times");
  }
}
