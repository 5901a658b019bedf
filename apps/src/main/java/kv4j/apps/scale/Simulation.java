package kv4j.apps.scale;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.ToDoubleFunction;
import java.util.stream.DoubleStream;
import java.util.stream.IntStream;
import kv4j.apps.workload.Spread;

/**
 * A trace, run by a fleet.
 *
 * @param served what became of each request, in the order of the trace
 * @param busySeconds of each server
 */
public record Simulation(FleetConfig config, List<Served> served, double[] busySeconds) {
  /** Runs it. The same trace and fleet always give the same. */
  public static Simulation run(Trace trace, FleetConfig config) {
    HashRing ring = new HashRing(config.nodes());
    long blockBytes = config.bytesPerToken() * trace.blockTokens();
    Optional<SharedStore> store =
        config.store().map(each -> new SharedStore(each, ring, config.nodes(), blockBytes));
    List<SimulatedServer> servers =
        IntStream.range(0, config.nodes())
            .mapToObj(number -> new SimulatedServer(number, trace, config, store))
            .toList();
    int hashIds = Math.max(1, config.hashTokens() / trace.tokensPerId());
    Routing.Router router = new Routing.Router(config.routing(), config.nodes(), hashIds, ring);
    List<Served> served = new ArrayList<>();
    for (TraceRequest request : trace.requests()) {
      int node = router.choose(request);
      Served done = servers.get(node).serve(request);
      router.sent(node, done.end());
      served.add(done);
    }
    return new Simulation(
        config, served, servers.stream().mapToDouble(SimulatedServer::busySeconds).toArray());
  }

  /** Share of all prompt tokens that were in the memory of the server that needed them. */
  public double memoryHitRate() {
    return sum(Served::memoryTokens) / sum(Served::promptTokens);
  }

  /** Share of all prompt tokens that came from the store. */
  public double storeHitRate() {
    return sum(Served::storeTokens) / sum(Served::promptTokens);
  }

  /** Times to first token, in seconds. */
  public Spread ttftSeconds() {
    return Spread.of(served.stream().mapToDouble(Served::ttftSeconds).toArray());
  }

  /** How much longer than the mean the busiest server was busy. */
  public double imbalance() {
    double mean = DoubleStream.of(busySeconds).average().orElseThrow();
    return DoubleStream.of(busySeconds).max().orElseThrow() / mean;
  }

  /** Bytes a second that a server read from others, on average from first to last token. */
  public double readBytesPerSecond() {
    double seconds = served.stream().mapToDouble(Served::end).max().orElseThrow();
    return sum(Served::readBytes) / seconds / config.nodes();
  }

  private double sum(ToDoubleFunction<Served> figure) {
    return served.stream().mapToDouble(figure).sum();
  }
}
