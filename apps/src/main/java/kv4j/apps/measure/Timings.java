package kv4j.apps.measure;

import java.util.ArrayList;
import java.util.List;
import kv4j.apps.workload.Spread;

/** One kind of duration, in ms: for each request one value per repeat. */
final class Timings {
  private final List<List<Double>> values = new ArrayList<>();

  Timings(int requests) {
    for (int i = 0; i < requests; i++) {
      values.add(new ArrayList<>());
    }
  }

  void add(int request, double millis) {
    values.get(request).add(millis);
  }

  /** One value per request: the median over the repeats. */
  double[] medians() {
    return values.stream().mapToDouble(v -> Spread.of(v).median()).toArray();
  }
}
