package kv4j.inference.plan;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import kv4j.inference.plan.graph.GraphOps;
import kv4j.inference.plan.graph.Unit;
import kv4j.inference.plan.run.Step;
import kv4j.model.GraphNames;

/**
 * What a plan makes of each part of its graph, for people: which ops are fused into a step and
 * which run as SameDiff runs them, and why. Layers that are alike are listed once.
 */
final class PlanOutline {
  private static final Pattern IN_LAYER = Pattern.compile("layer_(\\d+)/(.*)");
  private static final String RESULT = "/out";
  private static final String NO_SCOPE = "ops without a scope";

  /** Most ops without a scope that are called by their results. */
  private static final int MOST_NAMED = 3;

  /** Most reasons in the first line. */
  private static final int MOST_REASONS = 2;

  private final GraphOps graph;
  private final String kernels;
  private final String whyNot;
  private final List<Part> head = new ArrayList<>();
  private final TreeMap<Integer, List<Part>> layers = new TreeMap<>();
  private final List<Part> tail = new ArrayList<>();
  private final Set<GraphOps.Node> done = new LinkedHashSet<>();
  private final Map<String, Integer> scopeSizes = new HashMap<>();
  private int stockOps;

  /**
   * Ops that run together, or one by one if there is a reason why.
   *
   * @param name of their scope or result, without the layer
   * @param how kinds of the steps, or types of stock ops
   * @param why stock ops are not fused, empty if nothing is; null if they are
   */
  private record Part(String name, List<String> how, int ops, String why) {
    boolean goesOnAs(Part next) {
      return name.equals(next.name)
          && (name.equals(NO_SCOPE) || why != null)
          && Objects.equals(why, next.why);
    }

    Part and(Part next) {
      return new Part(
          name, Stream.concat(how.stream(), next.how.stream()).toList(), ops + next.ops, why);
    }

    String what() {
      return why == null ? counted(how) : "stock ops";
    }
  }

  /**
   * @param kernels that the steps compute with
   * @param whyNot why no steps are used, if none are; empty if they run on a CPU only
   */
  PlanOutline(GraphOps graph, String kernels, String whyNot) {
    this.graph = graph;
    this.whyNot = whyNot.isEmpty() ? "steps of kv4j's own are off: they run on a CPU only" : whyNot;
    this.kernels = kernels;
    graph.nodes().forEach(node -> scopeSizes.merge(node.scope(), 1, Integer::sum));
  }

  /**
   * Adds what runs next.
   *
   * @param units that became the steps
   */
  void addFused(List<Unit> units, List<Step> steps) {
    List<GraphOps.Node> nodes = units.stream().flatMap(unit -> unit.nodes().stream()).toList();
    String name = units.stream().map(this::name).distinct().collect(Collectors.joining(" + "));
    List<String> how = steps.stream().map(Step::kind).filter(kind -> !kind.isEmpty()).toList();
    add(nodes, new Part(name, how, nodes.size(), null));
  }

  /** Adds a step that stands for no op. */
  void addOwn(String where, Step step) {
    tail.add(new Part(where, List.of(step.kind()), 0, null));
  }

  /**
   * Adds an op that runs as SameDiff runs it.
   *
   * @param why to be read after the name of its scope; empty if nothing is fused
   */
  void addStock(Unit unit, String why) {
    stockOps++;
    add(unit.nodes(), new Part(name(unit), List.of(unit.nodes().get(0).type()), 1, why));
  }

  private void add(List<GraphOps.Node> nodes, Part part) {
    done.addAll(nodes);
    Matcher matcher = IN_LAYER.matcher(nodes.get(0).output());
    if (matcher.matches()) {
      append(
          layers.computeIfAbsent(Integer.valueOf(matcher.group(1)), i -> new ArrayList<>()), part);
      tail.forEach(earlier -> append(head, earlier)); // what ran between two layers
      tail.clear();
    } else {
      append(tail, part);
    }
  }

  /** Stock ops of one scope are one part, even where others run in between. */
  private static void append(List<Part> parts, Part part) {
    for (int i = 0; i < parts.size(); i++) {
      if (parts.get(i).goesOnAs(part)) {
        parts.set(i, parts.get(i).and(part));
        return;
      }
    }
    parts.add(part);
  }

  /** A unit's scope or, if it has none or is the only op there, its result. */
  private String name(Unit unit) {
    GraphOps.Node node = unit.nodes().get(0);
    int size = scopeSizes.get(node.scope());
    if (!node.scope().isEmpty() && size > 1) {
      return inLayer(node.scope());
    }
    if (node.scope().isEmpty() && size > MOST_NAMED && !node.output().equals(GraphNames.LOGITS)) {
      return NO_SCOPE;
    }
    String output = inLayer(node.output());
    return output.endsWith(RESULT)
        ? output.substring(0, output.length() - RESULT.length())
        : output;
  }

  private static String inLayer(String name) {
    Matcher matcher = IN_LAYER.matcher(name);
    return matcher.matches() ? matcher.group(2) : name;
  }

  /**
   * A line that sums up, then a line for each part.
   *
   * @param steps their number
   */
  List<String> lines(int steps) {
    Map<List<Part>, List<Integer>> alike = new LinkedHashMap<>();
    layers.forEach(
        (layer, parts) -> alike.computeIfAbsent(parts, p -> new ArrayList<>()).add(layer));
    List<String> lines = new ArrayList<>();
    lines.add(
        "plan: %d steps for the graph's %d ops, %s, %s"
            .formatted(
                steps, graph.nodes().size(), layerCount(alike.keySet().size()), fused(alike)));
    lines.add("kernels: " + kernels);
    List<Part> all =
        Stream.of(List.of(head, tail), alike.keySet())
            .flatMap(lists -> lists.stream().flatMap(List::stream))
            .toList();
    int name = all.stream().mapToInt(part -> part.name().length()).max().orElse(0);
    int what = all.stream().mapToInt(part -> part.what().length()).max().orElse(0);
    String inner = "    %-" + name + "s  %-" + what + "s  %s";
    String outer = "  %-" + (name + 2) + "s  %-" + what + "s  %s";
    head.forEach(part -> addLine(lines, outer, part));
    alike.forEach(
        (parts, numbers) -> {
          lines.add("  " + ranges(numbers) + ":");
          parts.forEach(part -> addLine(lines, inner, part));
        });
    tail.forEach(part -> addLine(lines, outer, part));
    String unread = unread();
    if (!unread.isEmpty()) {
      lines.add("  left out, for no step reads them: " + unread);
    }
    return List.copyOf(lines);
  }

  private String layerCount(int kinds) {
    return switch (layers.size()) {
      case 0 -> "no layers";
      case 1 -> "1 layer";
      default -> layers.size() + " layers " + (kinds == 1 ? "alike" : "of " + kinds + " kinds");
    };
  }

  private String fused(Map<List<Part>, List<Integer>> alike) {
    if (stockOps == 0) {
      return "all fused";
    }
    Set<String> names = new LinkedHashSet<>();
    Set<String> reasons = new LinkedHashSet<>();
    Stream.concat(Stream.of(head), Stream.concat(alike.keySet().stream(), Stream.of(tail)))
        .flatMap(List::stream)
        .filter(part -> part.why() != null && !part.why().isEmpty())
        .forEach(
            part -> {
              names.add(part.name());
              reasons.add(part.name() + " " + part.why());
            });
    String run =
        (stockOps == 1 ? "1 op runs by itself" : stockOps + " ops run one by one") + " because ";
    if (reasons.isEmpty()) {
      return run + whyNot;
    }
    return reasons.size() <= MOST_REASONS
        ? run + String.join(" and ", reasons)
        : run + "of " + String.join(", ", names);
  }

  private static void addLine(List<String> lines, String format, Part part) {
    String count = part.ops() == 1 ? "1 op" : part.ops() + " ops";
    String more;
    if (part.why() != null) {
      more = count + ": " + counted(part.how());
    } else {
      more = part.ops() == 0 ? "" : (part.ops() == 1 ? "for " : "fused from ") + count;
    }
    lines.add(format.formatted(part.name(), part.what(), more).stripTrailing());
    if (part.why() != null && !part.why().isEmpty()) {
      lines.add(format.formatted("", "because it " + part.why(), "").stripTrailing());
    }
  }

  private static String counted(List<String> types) {
    Map<String, Long> counts =
        types.stream()
            .collect(Collectors.groupingBy(t -> t, LinkedHashMap::new, Collectors.counting()));
    return counts.entrySet().stream()
        .map(e -> e.getValue() == 1 ? e.getKey() : e.getValue() + " " + e.getKey())
        .collect(Collectors.joining(", "));
  }

  /** {@code layer 3}, or {@code layers 0..2, 4}. */
  private static String ranges(List<Integer> numbers) {
    List<String> ranges = new ArrayList<>();
    int begin = 0;
    for (int i = 1; i <= numbers.size(); i++) {
      if (i == numbers.size() || numbers.get(i) != numbers.get(i - 1) + 1) {
        int from = numbers.get(begin);
        int to = numbers.get(i - 1);
        ranges.add(from == to ? "" + from : from + ".." + to);
        begin = i;
      }
    }
    return (numbers.size() == 1 ? "layer " : "layers ") + String.join(", ", ranges);
  }

  /** Ops that the plan does without, by scope. */
  private String unread() {
    Map<String, Integer> counts = new LinkedHashMap<>();
    for (GraphOps.Node node : graph.nodes()) {
      if (!done.contains(node)) {
        counts.merge(node.scope().isEmpty() ? node.output() : node.scope(), 1, Integer::sum);
      }
    }
    return counts.entrySet().stream()
        .map(e -> e.getKey() + " (" + e.getValue() + (e.getValue() == 1 ? " op)" : " ops)"))
        .collect(Collectors.joining(", "));
  }
}
