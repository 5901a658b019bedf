package kv4j.model.weight;

import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.nd4j.autodiff.samediff.ArrayHolder;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * The weights of a SameDiff graph, of which some are in panels. SameDiff asks for arrays only when
 * somebody runs the graph with its own session, saves or changes it. From then on an array takes
 * the panels' place, be it set or expanded from them: whoever has it may change its numbers.
 */
public final class WeightArrays implements ArrayHolder {
  private final Map<String, INDArray> arrays = new LinkedHashMap<>();
  private final Map<String, PanelMatrix> panels = new LinkedHashMap<>();

  /** A graph's weight in panels, if it is kept so. */
  public static Optional<PanelMatrix> panels(SameDiff graph, String name) {
    return graph.getVariablesArrays() instanceof WeightArrays weights
        ? Optional.ofNullable(weights.panelsOf(name))
        : Optional.empty();
  }

  /** Adds a weight in panels. */
  public synchronized void put(String name, PanelMatrix matrix) {
    panels.put(name, matrix);
  }

  private synchronized PanelMatrix panelsOf(String name) {
    return panels.get(name);
  }

  @Override
  public synchronized boolean hasArray(String name) {
    return arrays.containsKey(name) || panels.containsKey(name);
  }

  @Override
  public synchronized INDArray getArray(String name) {
    if (panels.containsKey(name)) {
      arrays.put(name, panels.remove(name).expand());
    }
    return arrays.get(name);
  }

  @Override
  public synchronized void setArray(String name, INDArray array) {
    panels.remove(name);
    arrays.put(name, array);
  }

  @Override
  public synchronized INDArray removeArray(String name) {
    INDArray array = getArray(name);
    arrays.remove(name);
    return array;
  }

  @Override
  public synchronized int size() {
    return names().size();
  }

  @Override
  public synchronized void initFrom(ArrayHolder other) {
    arrays.clear();
    panels.clear();
    for (String name : other.arrayNames()) {
      arrays.put(name, other.getArray(name));
    }
  }

  @Override
  public synchronized Collection<String> arrayNames() {
    return names();
  }

  private Set<String> names() {
    Set<String> names = new LinkedHashSet<>(arrays.keySet());
    names.addAll(panels.keySet());
    return names;
  }

  @Override
  public synchronized void rename(String from, String to) {
    if (arrays.containsKey(from)) {
      arrays.put(to, arrays.remove(from));
    }
    if (panels.containsKey(from)) {
      panels.put(to, panels.remove(from));
    }
  }
}
