package kv4j.cache.index;

import kv4j.cache.EvictionPolicy.Standard;

/**
 * Runs {@link Traffic} for a while, no part of the test suite: {@code StressCommand [threads
 * [seconds [budget in bytes]]]}, 8 threads, 30 seconds and 40 bytes (about 13 blocks) if not said.
 */
final class StressCommand {
  private StressCommand() {}

  public static void main(String[] args) throws InterruptedException {
    int threads = args.length > 0 ? Integer.parseInt(args[0]) : 8;
    long seconds = args.length > 1 ? Long.parseLong(args[1]) : 30;
    long budget = args.length > 2 ? Long.parseLong(args[2]) : 40;
    long seed = System.nanoTime();
    System.out.printf("%d threads, %d s, budget %d, seed %d%n", threads, seconds, budget, seed);
    for (Standard policy : Standard.values()) {
      Traffic traffic = new Traffic(budget, policy, 300);
      long end = System.nanoTime() + seconds * 1_000_000_000L / Standard.values().length;
      traffic.run(threads, seed, () -> System.nanoTime() < end);
      System.out.printf(
          "%s: %d requests, %d cached tokens, nothing wrong%n",
          policy, traffic.requests.get(), traffic.cachedTokens.get());
    }
  }
}
