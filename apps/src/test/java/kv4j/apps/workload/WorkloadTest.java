package kv4j.apps.workload;

import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.List;
import java.util.stream.IntStream;
import kv4j.model.TransformerConfig;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;

class WorkloadTest {
  private static final TransformerConfig CONTEXT_OF_10 =
      new TransformerConfig(
          1, 4, 1, 1, 4, 4, 258, 10, 1e-5f, 1e4f, TransformerConfig.RopePairing.SPLIT, true);

  private static Workload of(int newTokens, int... promptLengths) {
    List<WorkloadRequest> requests =
        IntStream.of(promptLengths)
            .mapToObj(n -> new WorkloadRequest("all", new int[n], 0))
            .toList();
    return new Workload("some", requests, newTokens);
  }

  private static void refuses(String message, Executable action) {
    assertEquals(message, assertThrows(IllegalArgumentException.class, action).getMessage());
  }

  @Test
  void promptAndNewTokensMayFillTheContext() {
    assertDoesNotThrow(() -> of(3, 5, 7).checkFits(CONTEXT_OF_10));
    refuses(
        "request 2 does not fit the model's context of 10 tokens: its prompt has 8 and 3 new"
            + " tokens are sought",
        () -> of(3, 5, 8).checkFits(CONTEXT_OF_10));
  }

  @Test
  void stopsEarly() {
    Workload two = of(1, 4, 5, 6).first(2);
    assertEquals(List.of(4, 5), two.requests().stream().map(r -> r.prompt().length).toList());
    refuses("the workload some has 3 requests, not 4", () -> of(1, 4, 5, 6).first(4));
    refuses("requests must be at least 1, not 0", () -> of(1, 4).first(0));
  }

  @Test
  void refusesWhatCannotRun() {
    refuses("a workload needs at least 1 request", () -> of(1));
    refuses("new tokens must be at least 1, not 0", () -> of(0, 4));
    refuses("a prompt needs at least 1 token", () -> of(1, 0));
    refuses(
        "a shared prefix of 4 tokens in a prompt of 3 tokens",
        () -> new WorkloadRequest("all", new int[3], 4));
  }
}
