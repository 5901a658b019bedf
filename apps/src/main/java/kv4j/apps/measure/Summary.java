package kv4j.apps.measure;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.DoubleStream;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import kv4j.apps.bench.Flops;
import kv4j.apps.workload.Answers;
import kv4j.apps.workload.CacheRow;
import kv4j.apps.workload.GroupRow;
import kv4j.apps.workload.Reply;
import kv4j.apps.workload.RequestRow;
import kv4j.apps.workload.Restart;
import kv4j.apps.workload.Rounding;
import kv4j.apps.workload.Speedup;
import kv4j.apps.workload.Spoiled;
import kv4j.apps.workload.Spread;
import kv4j.apps.workload.Workload;
import kv4j.apps.workload.WorkloadReport;
import kv4j.apps.workload.WorkloadReport.Concurrent;
import kv4j.model.TransformerConfig;

/**
 * Turns what was measured into a report.
 *
 * @param config shape of the model that ran
 * @param none what no cache did on the first request
 * @param request what the {@code request} cache did
 * @param alongside what other caches did
 * @param tested what the cache under test did
 */
record Summary(
    TransformerConfig config,
    Workload workload,
    RowTally none,
    RowTally request,
    List<RowTally> alongside,
    RowTally tested) {

  /**
   * @param warmPassMs by request, what prefilling takes where all that the cache should find is in
   *     place
   * @param expectedTokens by request, what that is
   * @param expectationKnown whether that was worked out, rather than taken from what was found
   */
  WorkloadReport report(
      double[] warmPassMs,
      int[] expectedTokens,
      boolean expectationKnown,
      Agreement agreement,
      Optional<Rounding> rounding,
      Optional<Concurrent> concurrent,
      Optional<Restart> restart) {
    CacheRow plain = row(request);
    CacheRow cached = row(tested);
    // Without a cache there were too few tokens for an answer.
    List<CacheRow> rows = new ArrayList<>(List.of(none.row(new Answers(0, 0)), plain));
    alongside.forEach(tally -> rows.add(row(tally)));
    rows.add(cached);
    long promptTokens = workload.requests().stream().mapToLong(r -> r.prompt().length).sum();
    List<Spoiled> spoiled =
        Stream.concat(alongside.stream(), Stream.of(tested))
            .flatMap(tally -> tally.spoiled().stream())
            .toList();
    boolean hitsKnown = expectationKnown && tested.keptAll();
    double expectedRate = (double) IntStream.of(expectedTokens).sum() / promptTokens;
    return new WorkloadReport(
        rows,
        requests(warmPassMs),
        groups(),
        new Speedup(
            plain.totalTtftMs() / cached.totalTtftMs(),
            plain.totalLatencyMs() / cached.totalLatencyMs(),
            cached.promptTokensPerSecond() / plain.promptTokensPerSecond()),
        Ceilings.of(request.ttft(), warmPassMs, request.decode()),
        workCeiling(expectedTokens),
        expectationKnown ? expectedRate : Double.NaN,
        (plain.totalLatencyMs() - cached.totalLatencyMs()) / 1000,
        agreement.identical(),
        agreement.maxDifference(),
        agreement.tolerance(),
        tested.layerHits(),
        tested.layerLookups(),
        tested.missReasons(),
        rounding,
        concurrent,
        restart,
        spoiled,
        faults(
            agreement,
            concurrent,
            restart,
            hitsKnown && expectedRate != cached.tokenHitRate(),
            spoiled));
  }

  private CacheRow row(RowTally tally) {
    int asked = 0;
    int right = 0;
    for (int i = 0; i < workload.requests().size(); i++) {
      Optional<String> answer = workload.requests().get(i).answer();
      if (answer.isPresent()) {
        asked++;
        right += answer.get().equals(tally.said(i)) ? 1 : 0;
      }
    }
    return tally.row(new Answers(asked, right));
  }

  private static List<String> faults(
      Agreement agreement,
      Optional<Concurrent> concurrent,
      Optional<Restart> restart,
      boolean wrongHits,
      List<Spoiled> spoiled) {
    List<String> faults = new ArrayList<>();
    if (!agreement.identical()) {
      faults.add("runs of one request gave different tokens");
    }
    if (!(agreement.maxDifference() <= agreement.tolerance())) {
      faults.add(
          "a logit differs by %.1e, where %.1e is allowed"
              .formatted(agreement.maxDifference(), agreement.tolerance()));
    }
    if (concurrent.isPresent() && !concurrent.get().identicalTokens()) {
      faults.add(
          "requests got other tokens %d at a time than one at a time"
              .formatted(concurrent.get().concurrency()));
    }
    if (restart.isPresent() && restart.get().exact() && !restart.get().identicalTokens()) {
      faults.add("requests got other tokens from the store than without it");
    }
    if (wrongHits) {
      faults.add("the cache kept all and found other tokens than it should have");
    }
    if (!faults.isEmpty()) { // by which they are explained
      spoiled.forEach(each -> faults.add(each.toString()));
    }
    return faults;
  }

  private Speedup workCeiling(int[] cachedTokens) {
    double[] full = new double[cachedTokens.length];
    double[] warm = full.clone();
    double[] decode = full.clone();
    for (int i = 0; i < cachedTokens.length; i++) {
      int prompt = workload.requests().get(i).prompt().length;
      full[i] = Flops.pass(config, 0, prompt);
      warm[i] = Flops.pass(config, cachedTokens[i], prompt - cachedTokens[i]);
      decode[i] = Flops.decode(config, prompt, request.generated(i).length);
    }
    return Ceilings.of(full, warm, decode);
  }

  private List<RequestRow> requests(double[] warmPassMs) {
    return IntStream.range(0, warmPassMs.length)
        .mapToObj(
            i ->
                new RequestRow(
                    workload.requests().get(i).group(),
                    tested.lookup(i).promptTokens(),
                    tested.lookup(i).cachedTokens(),
                    tested.lookup(i).reason().label(),
                    tested.ttft()[i],
                    request.ttft()[i],
                    warmPassMs[i],
                    tested.latency()[i],
                    request.latency()[i],
                    IntStream.of(tested.generated(i)).boxed().toList(),
                    reply(i)))
        .toList();
  }

  private Optional<Reply> reply(int i) {
    return workload
        .requests()
        .get(i)
        .answer()
        .map(right -> new Reply(right, tested.said(i), request.said(i)));
  }

  /** In the order of their first requests. */
  private List<GroupRow> groups() {
    Map<String, List<Integer>> members = new LinkedHashMap<>();
    for (int i = 0; i < workload.requests().size(); i++) {
      String group = workload.requests().get(i).group();
      members.computeIfAbsent(group, g -> new ArrayList<>()).add(i);
    }
    return members.entrySet().stream().map(e -> group(e.getKey(), e.getValue())).toList();
  }

  private GroupRow group(String name, List<Integer> members) {
    double[] ttft = pick(tested.ttft(), members);
    double[] uncachedTtft = pick(request.ttft(), members);
    double saved = sum(pick(request.latency(), members)) - sum(pick(tested.latency(), members));
    return new GroupRow(
        name,
        members.size(),
        members.stream().mapToLong(i -> tested.lookup(i).promptTokens()).sum(),
        members.stream().mapToLong(i -> tested.lookup(i).cachedTokens()).sum(),
        Spread.of(ttft),
        Spread.of(uncachedTtft),
        sum(uncachedTtft) / sum(ttft),
        saved / 1000);
  }

  private static double[] pick(double[] values, List<Integer> members) {
    return members.stream().mapToDouble(i -> values[i]).toArray();
  }

  private static double sum(double[] values) {
    return DoubleStream.of(values).sum();
  }
}
