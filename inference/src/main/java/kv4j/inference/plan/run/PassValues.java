package kv4j.inference.plan.run;

import java.util.Collections;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.Map;
import java.util.Set;
import org.nd4j.linalg.api.ndarray.INDArray;

/** Arrays by variable name in one pass: placeholders, and results of ops that have no step. */
public final class PassValues implements AutoCloseable {
  private final Map<String, INDArray> arrays = new HashMap<>();
  private final Set<INDArray> lent = Collections.newSetFromMap(new IdentityHashMap<>());

  /** All arrays, for reading. */
  public Map<String, INDArray> arrays() {
    return arrays;
  }

  public INDArray get(String name) {
    return arrays.get(name);
  }

  /** Adds an input of ops, of which results may be views: it is closed only with the pass. */
  public void lend(String name, INDArray array) {
    drop(name);
    lent.add(array);
    arrays.put(name, array);
  }

  /** Adds a result, to be closed when dropped. */
  public void put(String name, INDArray array) {
    arrays.put(name, array);
  }

  /** Forgets an array, and frees it unless it is known by another name as well. */
  public void drop(String name) {
    INDArray array = arrays.remove(name);
    if (array == null || lent.contains(array)) {
      return;
    }
    for (INDArray other : arrays.values()) {
      if (other == array) {
        return;
      }
    }
    if (array.closeable()) {
      array.close();
    }
  }

  @Override
  public void close() {
    for (String name : Set.copyOf(arrays.keySet())) {
      drop(name);
    }
    lent.forEach(INDArray::close);
  }
}
