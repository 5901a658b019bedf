package kv4j.apps.bench;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.PrimitiveIterator;
import java.util.stream.DoubleStream;
import java.util.stream.IntStream;
import kv4j.apps.workload.Spread;
import kv4j.cache.KvSequence;
import kv4j.cache.block.KvDtype;
import kv4j.cache.block.KvLayout;
import org.junit.jupiter.api.Test;

class PassTimerTest {
  private static final KvLayout LAYOUT = new KvLayout(2, 1, 2, 4, KvDtype.F32);

  @Test
  void passesHaveTheNamesTheyArePublishedBy() {
    assertEquals(
        List.of("prefill512", "warm480_32", "decode"),
        Pass.around(512).stream().map(Pass::name).toList());
    assertEquals(
        List.of("4064 from 0", "32 after 4032", "1 after 4064"),
        Pass.around(4064).stream().map(Pass::label).toList());
    assertThrows(IllegalArgumentException.class, () -> new Pass(3, 0));
  }

  @Test
  void onlyWhatIsMissingIsComputedBeforeAPass() {
    List<String> computed = new ArrayList<>();
    Forward engine =
        (sequence, tokens, from, to) -> {
          computed.add(from + "-" + to);
          append(sequence, to - from);
        };
    RewindableSequence sequence = new RewindableSequence(LAYOUT);
    for (Pass pass : Pass.around(40)) {
      PassTimer.millis(engine, sequence, new int[41], pass);
      assertEquals(pass.end(), sequence.length());
    }
    assertEquals(List.of("0-40", "8-40", "40-41"), computed);
    computed.clear();
    PassTimer.millis(engine, sequence, new int[41], new Pass(5, 2));
    PassTimer.millis(engine, sequence, new int[41], new Pass(10, 1));
    assertEquals(List.of("5-7", "7-10", "10-11"), computed);
  }

  private static void append(KvSequence sequence, int tokens) {
    float[] rows = new float[tokens * LAYOUT.width()];
    for (int layer = 0; layer < LAYOUT.layers(); layer++) {
      sequence.update(layer, rows, rows, 0, tokens);
    }
  }

  @Test
  void passesTakeTurnsAndTheWarmUpDoesNotCount() {
    List<Pass> passes = List.of(new Pass(0, 100), new Pass(90, 10), new Pass(100, 1));
    List<Integer> rows = new ArrayList<>();
    int[] rounds = {0};
    Map<Pass, Spread> times =
        PassTimer.inTurns(
            passes,
            pass -> {
              rows.add(pass.rows());
              return rounds[0] == 0 && rows.size() <= 2 * 9 ? 1000 : rows.size() - 18;
            },
            1,
            2,
            () -> rounds[0]++);
    assertEquals(2, rounds[0]);
    List<Integer> round = List.of(100, 10, 1, 10, 1, 10, 1, 10, 1);
    List<Integer> all = IntStream.range(0, 4).boxed().flatMap(i -> round.stream()).toList();
    assertEquals(all, rows, "two rounds to warm up, two measured");
    assertEquals(passes, List.copyOf(times.keySet()));
    assertEquals(Spread.of(1, 10), times.get(passes.get(0)));
    assertEquals(Spread.of(2, 4, 6, 8, 11, 13, 15, 17), times.get(passes.get(1)));
  }

  @Test
  void warmUpEndsWhenNothingImproves() {
    assertEquals(3, warmUp(2, DoubleStream.of(10, 11, 9.9)));
    assertEquals(6, warmUp(2, DoubleStream.of(10, 10, 8, 6, 6, 6)));
    assertEquals(50, warmUp(1, IntStream.iterate(1_000_000, n -> n / 10 * 9).asDoubleStream()));
  }

  private static int warmUp(int patience, DoubleStream times) {
    PrimitiveIterator.OfDouble iterator = times.iterator();
    int rounds = WarmUp.run(patience, iterator::nextDouble);
    Iterator<Double> rest = iterator;
    assertEquals(rounds == 50, rest.hasNext(), "rounds beyond the last that is needed");
    return rounds;
  }
}
