package kv4j.inference.plan.op;

import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import kv4j.inference.plan.graph.GraphOps;
import org.nd4j.autodiff.functions.DifferentialFunction;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.autodiff.samediff.config.ExecutionResult;
import org.nd4j.autodiff.samediff.config.SDValue;
import org.nd4j.autodiff.samediff.internal.FrameIter;
import org.nd4j.autodiff.samediff.internal.InferenceSession;
import org.nd4j.autodiff.samediff.internal.SameDiffOp;
import org.nd4j.autodiff.samediff.internal.memory.NoOpMemoryMgr;
import org.nd4j.common.primitives.Pair;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.api.ops.OpContext;
import org.nd4j.linalg.api.ops.custom.Invoke;
import org.nd4j.linalg.api.ops.impl.controlflow.compat.BaseCompatOp;
import org.nd4j.linalg.api.ops.impl.controlflow.compat.LoopCond;
import org.nd4j.linalg.api.ops.impl.shape.tensorops.BaseTensorOp;
import org.nd4j.linalg.api.ops.impl.transforms.same.Identity;

/** Runs single ops of a graph the way SameDiff's own session does. Not thread-safe. */
final class OpRunner extends InferenceSession {
  private static final FrameIter FRAME = new FrameIter(OUTER_FRAME, 0, null);

  OpRunner(SameDiff graph) {
    super(graph);
    setMmgr(new NoOpMemoryMgr());
  }

  /**
   * Runs an op.
   *
   * @param values the values that it reads, placeholders included, weights and constants not needed
   * @return its results; one may be an input itself
   */
  INDArray[] run(GraphOps.Node node, Map<String, INDArray> values) {
    if (node.op() instanceof Identity) {
      return new INDArray[] {values.get(node.inputs().get(0))};
    }
    Set<VarId> computed = new HashSet<>();
    Set<String> given = new HashSet<>();
    for (String input : node.inputs()) {
      if (values.containsKey(input) && !sameDiff.getVariable(input).isPlaceHolder()) {
        VarId id = new VarId(input, OUTER_FRAME, 0, null);
        nodeValueOutputs.put(id, SDValue.create(values.get(input)));
        computed.add(id);
      } else {
        given.add(input);
      }
    }
    try {
      Pair<SameDiffOp, OpContext> prepared =
          getAndParameterizeOp(
              node.name(),
              FRAME,
              computed,
              Set.of(),
              given,
              values,
              Set.copyOf(node.outputs()),
              Map.of());
      ExecutionResult result =
          doExec(
              prepared.getFirst().getOp(),
              prepared.getSecond(),
              FRAME,
              computed,
              Set.of(),
              given,
              Map.of());
      INDArray[] outputs = new INDArray[node.outputs().size()];
      for (int i = 0; i < outputs.length; i++) {
        outputs[i] = result.resultOrValueAt(i, false);
      }
      prepared.getFirst().getOp().clearArrays();
      if (prepared.getSecond() != null) {
        prepared.getSecond().purge();
      }
      return outputs;
    } finally {
      nodeValueOutputs.clear();
    }
  }

  /** Whether an op is more than a part of SameDiff's loops, branches or lists of arrays. */
  static boolean canRun(GraphOps.Node node) {
    DifferentialFunction op = node.op();
    return !(op instanceof BaseCompatOp
        || op instanceof LoopCond
        || op instanceof Invoke
        || op instanceof BaseTensorOp);
  }
}
