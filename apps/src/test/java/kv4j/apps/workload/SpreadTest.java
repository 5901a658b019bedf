package kv4j.apps.workload;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class SpreadTest {
  @Test
  void oneValueIsEverything() {
    assertEquals(new Spread(7, 7, 7, 7), Spread.of(7));
  }

  @Test
  void anEvenNumberHasItsMedianBetweenTheMiddleTwo() {
    assertEquals(new Spread(1, 2.5, 4, 4), Spread.of(4, 1, 3, 2));
  }

  @Test
  void p95IsTheValueThatNineteenOfTwentyDoNotExceed() {
    double[] values = IntStream.rangeClosed(1, 20).mapToDouble(i -> 21 - i).toArray();
    assertEquals(new Spread(1, 10.5, 19, 20), Spread.of(values));
    double[] hundred = IntStream.rangeClosed(1, 100).mapToDouble(i -> i).toArray();
    assertEquals(95, Spread.of(hundred).p95());
  }

  @Test
  void theGivenValuesStayInOrder() {
    double[] values = {3, 1, 2};
    Spread.of(values);
    assertEquals(3, values[0]);
  }

  @Test
  void nothingHasNoSpread() {
    assertThrows(IllegalArgumentException.class, Spread::of);
  }
}
