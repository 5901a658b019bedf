package kv4j.apps.serve;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;

/** A tree of prefixes, kept up to date by events alone. */
final class FollowerTree {
  private final SortedMap<Long, Run> runs = new TreeMap<>();

  record Run(long parent, int start, List<Integer> tokens) {}

  /** The runs by their ids. */
  SortedMap<Long, Run> runs() {
    return runs;
  }

  /** The runs of a snapshot. */
  static SortedMap<Long, Run> of(JsonNode tree) {
    FollowerTree follower = new FollowerTree();
    tree.get("runs").forEach(run -> follower.put(run, "id"));
    return follower.runs;
  }

  private void put(JsonNode run, String id) {
    List<Integer> tokens = new ArrayList<>();
    run.get("tokens").forEach(token -> tokens.add(token.intValue()));
    runs.put(
        run.get(id).longValue(),
        new Run(run.get("parent").longValue(), run.get("start").intValue(), tokens));
  }

  void apply(SseReader.Event event) {
    JsonNode data = event.data();
    switch (event.name()) {
      case "snapshot" -> runs.putAll(of(data));
      case "inserted" -> put(data, "run");
      case "split" -> split(data);
      case "removed" -> remove(data);
      default -> {
        // of requests
      }
    }
  }

  private void split(JsonNode data) {
    Run run = runs.get(data.get("run").longValue());
    int count = data.get("at").intValue() - run.start;
    long upper = data.get("upper").longValue();
    runs.put(upper, new Run(run.parent, run.start, run.tokens.subList(0, count)));
    runs.put(
        data.get("run").longValue(),
        new Run(upper, run.start + count, run.tokens.subList(count, run.tokens.size())));
  }

  private void remove(JsonNode data) {
    long id = data.get("run").longValue();
    Run run = runs.remove(id);
    int left = data.get("start").intValue() - run.start;
    if (left > 0) {
      runs.put(id, new Run(run.parent, run.start, run.tokens.subList(0, left)));
    }
  }
}
