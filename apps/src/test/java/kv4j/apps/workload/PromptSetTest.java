package kv4j.apps.workload;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import kv4j.apps.workload.PromptSet.Sizes;
import kv4j.model.ByteTokenizer;
import org.junit.jupiter.api.Test;

class PromptSetTest {
  private static final ByteTokenizer BYTES = new ByteTokenizer();
  private static final PromptSet SMALL =
      new PromptSet("small", List.of("Be brief.", "Be kind."), List.of("Why not?", "How so?"));

  private static void refuses(String message, PromptSet prompts, Sizes sizes) {
    Throwable e =
        assertThrows(IllegalArgumentException.class, () -> prompts.workload(BYTES, sizes));
    assertEquals(message, e.getMessage());
  }

  @Test
  void cutsPrefixAndSuffixToTheToken() {
    Workload workload = SMALL.workload(BYTES, new Sizes(2, 12, 3, 5));
    assertEquals(5, workload.newTokens());
    assertEquals(2, workload.requests().size());
    for (WorkloadRequest request : workload.requests()) {
      assertEquals(15, request.prompt().length);
      assertEquals(12, request.sharedPrefixTokens());
      assertEquals(BYTES.beginToken(), request.prompt()[0]);
    }
    assertEquals("Be brief.\nBWhy", BYTES.decode(workload.requests().get(0).prompt()));
    assertEquals("Be brief.\nBHow", BYTES.decode(workload.requests().get(1).prompt()));
  }

  @Test
  void neverMakesTextUp() {
    refuses(
        "the workload small has 2 questions, too few for 3 requests",
        SMALL,
        new Sizes(3, 12, 3, 5));
    assertEquals(2, SMALL.workload(BYTES, new Sizes(2, 20, 7, 5)).requests().size());
    Sizes most = new Sizes(2, 100, 100, 5);
    assertEquals(
        new Sizes(2, 20, 7, 5), SMALL.fitting(PromptFormat.plain(BYTES), most, Integer.MAX_VALUE));
    assertEquals(new Sizes(2, 9, 7, 5), SMALL.fitting(PromptFormat.plain(BYTES), most, 21));
    refuses(
        "the workload small has a system prompt of only 20 tokens, too few for 21",
        SMALL,
        new Sizes(2, 21, 3, 5));
    refuses(
        "the workload small has a question 2 of only 7 tokens, too few for 8",
        SMALL,
        new Sizes(2, 12, 8, 5));
  }

  @Test
  void sizesArePositive() {
    for (int zero = 0; zero < 4; zero++) {
      int[] sizes = {1, 1, 1, 1};
      sizes[zero] = -zero;
      Throwable e =
          assertThrows(
              IllegalArgumentException.class,
              () -> new Sizes(sizes[0], sizes[1], sizes[2], sizes[3]));
      assertTrue(e.getMessage().endsWith(" must be at least 1, not " + -zero), e.getMessage());
    }
  }

  @Test
  void theShippedQuestionsPartWithinAFewTokensOfASharedPrefix() {
    PromptSet shipped = PromptSet.shipped();
    Workload workload = shipped.workload(BYTES, new Sizes(60, 2000, 120, 16));
    int[] prefix = Arrays.copyOf(workload.requests().get(0).prompt(), 2000);
    Set<List<Integer>> beginnings = new HashSet<>();
    for (WorkloadRequest request : workload.requests()) {
      assertArrayEquals(prefix, Arrays.copyOf(request.prompt(), 2000));
      beginnings.add(Arrays.stream(request.prompt(), 2000, 2004).boxed().toList());
    }
    assertEquals(60, beginnings.size());
  }

  @Test
  void theShippedTextIsEnoughForTheDefaults() {
    Workload workload = PromptSet.shipped().workload(BYTES, Sizes.DEFAULT);
    assertEquals(40, workload.requests().size());
    assertEquals(1048, workload.requests().get(39).prompt().length);
    assertEquals(10, PromptSet.shipped().workload(BYTES, Sizes.QUICK).requests().size());
  }
}
