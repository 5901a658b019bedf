package kv4j.inference;

import java.util.Collection;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import kv4j.model.GraphNames;
import kv4j.model.weight.WeightArrays;
import org.nd4j.autodiff.listeners.At;
import org.nd4j.autodiff.listeners.Listener;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.autodiff.samediff.VariableType;
import org.nd4j.autodiff.samediff.config.ExecutionResult;
import org.nd4j.autodiff.samediff.config.SDValue;
import org.nd4j.autodiff.samediff.internal.InferenceSession;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.api.MultiDataSet;

/**
 * The session that SameDiff runs an engine's graph with: it hands the whole graph to the engine's
 * plan. SameDiff takes one session factory per JVM, so the factory gives every other graph
 * SameDiff's own session. The same holds for outputs other than the logits, which no plan computes.
 */
final class PlanSession extends InferenceSession {
  private static final Map<SameDiff, InferenceEngine> ENGINES =
      Collections.synchronizedMap(new IdentityHashMap<>());

  private final InferenceEngine engine;

  private PlanSession(SameDiff graph, InferenceEngine engine) {
    super(graph);
    this.engine = engine;
  }

  /** Lets an engine run a graph from now on. */
  static void register(SameDiff graph, InferenceEngine engine) {
    if (!SameDiff.bindInferenceFactory(PlanSession::create)) {
      throw new IllegalStateException("SameDiff refused the session factory");
    }
    if (ENGINES.putIfAbsent(graph, engine) != null) {
      throw new IllegalStateException("this graph has an engine already");
    }
    forgetSessions(graph);
  }

  /**
   * Makes SameDiff forget the sessions it has for a graph: it keeps one per thread, from the moment
   * a thread sets a weight, and would never ask the factory again. Changing a variable's type does
   * that and nothing else of note, so one weight becomes a constant and a variable again, or the
   * other way round, as graphs read from files may hold constants only.
   */
  private static void forgetSessions(SameDiff graph) {
    Optional<SDVariable> weight = first(graph, VariableType.VARIABLE);
    if (weight.isPresent()) {
      graph.convertToConstants(List.of(weight.get()));
      graph.convertToVariables(List.of(weight.get()));
      return;
    }
    first(graph, VariableType.CONSTANT)
        .ifPresent(
            constant -> {
              graph.convertToVariables(List.of(constant));
              graph.convertToConstants(List.of(constant));
            });
  }

  /** One that is an array already: SameDiff would look at its elements. */
  private static Optional<SDVariable> first(SameDiff graph, VariableType type) {
    return graph.variables().stream()
        .filter(v -> v.getVariableType() == type && v.dataType().isFPType())
        .filter(v -> WeightArrays.panels(graph, v.name()).isEmpty())
        .findFirst();
  }

  /** Gives a graph back, unless another engine has it by now. */
  static void unregister(SameDiff graph, InferenceEngine engine) {
    ENGINES.remove(graph, engine);
  }

  private static InferenceSession create(SameDiff graph) {
    InferenceEngine engine = ENGINES.get(graph);
    return engine == null ? new InferenceSession(graph) : new PlanSession(graph, engine);
  }

  @Override
  public ExecutionResult output(
      List<String> variables,
      Map<String, INDArray> placeholders,
      Map<String, SDValue> otherPlaceholders,
      MultiDataSet batch,
      Collection<String> requiredActivations,
      List<Listener> listeners,
      At at) {
    boolean onlyLogits = variables.equals(List.of(GraphNames.LOGITS));
    boolean watched = listeners != null && !listeners.isEmpty();
    boolean closed = ENGINES.get(sameDiff) != engine;
    if (!onlyLogits || watched || closed) {
      return super.output(
          variables, placeholders, otherPlaceholders, batch, requiredActivations, listeners, at);
    }
    INDArray logits = engine.run(placeholders);
    return ExecutionResult.createFrom(List.of(GraphNames.LOGITS), new INDArray[] {logits});
  }
}
