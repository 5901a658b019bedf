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
 * somebody runs the graph with its own session, saves or changes it: then panels are expanded, and
 * the arrays kept beside them. An array that is set takes the panels' place.
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

  /** Lets a graph keep a weight as an array alone, if there is one. */
  public static void forgetPanels(SameDiff graph, String name) {
    if (graph.getVariablesArrays() instanceof WeightArrays weights) {
      weights.forget(name);
    }
  }

  /** Adds a weight in panels. */
  public synchronized void put(String name, PanelMatrix matrix) {
    panels.put(name, matrix);
  }

  private synchronized PanelMatrix panelsOf(String name) {
    return panels.get(name);
  }

  private synchronized void forget(String name) {
    if (arrays.containsKey(name)) {
      panels.remove(name);
    }
  }

  @Override
  public synchronized boolean hasArray(String name) {
    return arrays.containsKey(name) || panels.containsKey(name);
  }

  @Override
  public synchronized INDArray getArray(String name) {
    INDArray array = arrays.get(name);
    if (array == null && panels.containsKey(name)) {
      array = panels.get(name).expand();
      arrays.put(name, array);
    }
    return array;
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
    panels.remove(name);
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
