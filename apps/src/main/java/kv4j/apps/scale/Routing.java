package kv4j.apps.scale;

import java.util.PriorityQueue;

/** How a request's server is chosen. */
public enum Routing {
  /** One after the other: round robin. */
  TURNS,
  /** By consistent hashing of how the prompt begins. */
  PREFIX,
  /**
   * The same, but past servers that have more than their share of the requests under way.
   *
   * <p>Source: Mirrokni, Thorup and Zadimoghaddam, "Consistent Hashing with Bounded Loads", SODA
   * 2018.
   */
  BOUNDED;

  private static final double MOST_OF_MEAN = 1.25;

  /** Sends the requests of one run. */
  static final class Router {
    private record Running(double end, int node) {}

    private final Routing routing;
    private final int hashIds;
    private final HashRing ring;
    private final int[] running;
    private final PriorityQueue<Running> all =
        new PriorityQueue<>((a, b) -> Double.compare(a.end(), b.end()));
    private int next;

    /**
     * @param hashIds ids of a prompt that are hashed
     */
    Router(Routing routing, int nodes, int hashIds, HashRing ring) {
      this.routing = routing;
      this.hashIds = hashIds;
      this.ring = ring;
      running = new int[nodes];
    }

    /** Chooses a request's server. */
    int choose(TraceRequest request) {
      if (routing == TURNS) {
        return next++ % running.length;
      }
      while (!all.isEmpty() && all.peek().end() <= request.seconds()) {
        running[all.remove().node()]--;
      }
      double most =
          routing == PREFIX
              ? Double.POSITIVE_INFINITY
              : Math.ceil(MOST_OF_MEAN * (all.size() + 1) / running.length);
      long key = HashRing.hash(0, request.prompt(), 0, hashIds);
      return ring.find(key, node -> running[node] < most);
    }

    /** Takes note of when a request will be done. */
    void sent(int node, double end) {
      running[node]++;
      all.add(new Running(end, node));
    }
  }
}
