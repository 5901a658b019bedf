package kv4j.inference.dl4j;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import kv4j.cache.KvCache;
import kv4j.cache.KvCacheConfig;
import kv4j.cache.KvRequest;
import kv4j.cache.KvSequence;
import kv4j.cache.basic.RequestCacheProvider;
import kv4j.cache.block.KvDtype;
import kv4j.cache.block.KvLayout;
import kv4j.cache.block.KvSpans;
import kv4j.inference.kernel.AttentionScratch;
import kv4j.inference.kernel.AttentionTask;
import kv4j.inference.kernel.Kernels;
import org.deeplearning4j.nn.api.layers.RecurrentLayer;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.gradient.DefaultGradient;
import org.deeplearning4j.nn.gradient.Gradient;
import org.deeplearning4j.nn.layers.samediff.SameDiffLayer;
import org.deeplearning4j.nn.workspace.ArrayType;
import org.deeplearning4j.nn.workspace.LayerWorkspaceMgr;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.common.primitives.Pair;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.memory.MemoryWorkspace;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/**
 * The layer of a {@link KvCachedSelfAttention}. Whole sequences run as the SameDiff graph that the
 * configuration defines; time steps go through the cache's hook. Like every layer of
 * Deeplearning4j, for one thread at a time.
 */
@SuppressWarnings("try") // workspaces are opened and closed, never read
final class KvCachedSelfAttentionLayer extends SameDiffLayer implements RecurrentLayer {
  private static final long serialVersionUID = 1L;

  /** Of the state: keys so far, {@code [batch, steps, heads * headSize]}. */
  private static final String KEYS = "keys";

  /** Of the state: values so far, {@code [batch, steps, heads * headSize]}. */
  private static final String VALUES = "values";

  /** Placeholder {@code [batch, nOut, steps]}: the gradient of the loss by the output. */
  private static final String EPSILON = "epsilon";

  private transient SameDiff learning;
  private final transient Kernels kernels = Kernels.best();
  private final transient AttentionScratch scratch = new AttentionScratch();

  /** One for each example of the batch; empty before the first step. */
  private transient List<KvSequence> sequences = List.of();

  /** What the last step attended to in each sequence; empty before the first step. */
  private transient List<KvSpans> spans = List.of();

  /** Number of this layer among those that share the sequences. */
  private transient int layer;

  KvCachedSelfAttentionLayer(NeuralNetConfiguration conf, DataType dataType) {
    super(conf, dataType);
  }

  private KvCachedSelfAttention attention() {
    return (KvCachedSelfAttention) conf().getLayer();
  }

  /** The shape of keys and values of {@code layers} layers like this one. */
  KvLayout layout(int layers, int blockTokens, KvDtype dtype) {
    return new KvLayout(layers, attention().heads(), attention().headSize(), blockTokens, dtype);
  }

  /** Lets the next steps continue sequences that are shared with other layers. */
  void attach(List<KvSequence> shared, int layer) {
    sequences = shared;
    spans = List.of();
    this.layer = layer;
  }

  /** Whether the next steps continue these sequences. */
  boolean isAttachedTo(List<KvSequence> shared) {
    return sequences == shared;
  }

  @Override
  public Type type() {
    return Type.RECURRENT;
  }

  /**
   * @param input {@code [batch, nIn, steps]}
   * @return {@code [batch, nOut, steps]}
   */
  @Override
  public INDArray rnnTimeStep(INDArray input, LayerWorkspaceMgr workspaces) {
    if (maskArray != null) {
      throw new IllegalArgumentException("time steps through a cache cannot be masked");
    }
    KvCachedSelfAttention attention = attention();
    if (input.rank() != 3 || input.size(1) != attention.nIn()) {
      throw new IllegalArgumentException(
          "time steps must be [batch, "
              + attention.nIn()
              + ", steps], not "
              + Arrays.toString(input.shape()));
    }
    int batch = (int) input.size(0);
    int steps = (int) input.size(2);
    if (sequences.isEmpty()) {
      attach(ownSequences(batch), 0);
    }
    if (sequences.size() != batch) {
      throw new IllegalArgumentException(
          "a batch of "
              + batch
              + " cannot continue "
              + sequences.size()
              + " sequences; rnnClearPreviousState begins new ones");
    }
    try (MemoryWorkspace none = Nd4j.getWorkspaceManager().scopeOutOfWorkspaces()) {
      INDArray rows =
          input.permute(0, 2, 1).dup('c').reshape('c', (long) batch * steps, attention.nIn());
      float[] queries = project(rows, KvCachedSelfAttention.QUERY_WEIGHT);
      float[] keys = project(rows, KvCachedSelfAttention.KEY_WEIGHT);
      float[] values = project(rows, KvCachedSelfAttention.VALUE_WEIGHT);
      update(keys, values, steps);
      INDArray mixed =
          Nd4j.createFromArray(attend(queries, steps))
              .reshape('c', rows.size(0), -1)
              .castTo(dataType);
      INDArray output =
          mixed
              .mmul(getParam(KvCachedSelfAttention.OUTPUT_WEIGHT))
              .dup('c')
              .reshape('c', batch, steps, attention.nOut())
              .permute(0, 2, 1);
      return workspaces.dup(ArrayType.ACTIVATIONS, output);
    }
  }

  /** Sequences in a cache of this layer's own, which ends with them. */
  private List<KvSequence> ownSequences(int batch) {
    KvCacheConfig config = KvCacheConfig.of(layout(1, KvLayout.TILE, KvDtype.F32), Long.MAX_VALUE);
    KvCache cache = new RequestCacheProvider().create(config);
    List<KvSequence> opened = new ArrayList<>();
    for (int i = 0; i < batch; i++) {
      opened.add(cache.open(KvRequest.of(0)));
    }
    return opened;
  }

  private float[] project(INDArray rows, String weight) {
    return floats(rows.mmul(getParam(weight)));
  }

  private static float[] floats(INDArray array) {
    return array.castTo(DataType.FLOAT).dup('c').reshape(array.length()).toFloatVector();
  }

  /** Hands the new steps' keys and values to the cache. */
  private void update(float[] keys, float[] values, int steps) {
    List<KvSpans> updated = new ArrayList<>();
    for (int i = 0; i < sequences.size(); i++) {
      KvSequence sequence = sequences.get(i);
      if (layer == 0) {
        int length = sequence.length();
        if (sequence.begin() != length) {
          throw new IllegalArgumentException(
              "time steps need a cache that keeps the " + length + " steps before");
        }
      }
      updated.add(sequence.update(layer, keys, values, i * steps, steps));
    }
    spans = updated;
  }

  /**
   * @param queries {@code [batch, steps, heads, headSize]}
   * @return the same shape
   */
  private float[] attend(float[] queries, int steps) {
    int heads = attention().heads();
    int headSize = attention().headSize();
    int width = heads * headSize;
    float scale = (float) (1 / Math.sqrt(headSize));
    float[] mixed = new float[queries.length];
    for (int i = 0; i < spans.size(); i++) {
      for (int head = 0; head < heads; head++) {
        int at = i * steps * width + head * headSize;
        AttentionTask task =
            new AttentionTask(spans.get(i), layer, head, steps, 0, steps, 1, scale);
        kernels.attend(task, queries, mixed, at, width, scratch);
      }
    }
    return mixed;
  }

  /**
   * The gradients of the sum of outputs times {@code epsilon}, which are those of the loss. All
   * that the graph computes from is a placeholder.
   */
  @Override
  public Pair<Gradient, INDArray> backpropGradient(INDArray epsilon, LayerWorkspaceMgr workspaces) {
    assertInputSet(true);
    try (MemoryWorkspace none = Nd4j.getWorkspaceManager().scopeOutOfWorkspaces()) {
      List<String> wanted = new ArrayList<>(paramTable.keySet());
      wanted.add(INPUT_KEY);
      if (learning == null) {
        learning = learningGraph(wanted);
      }
      Map<String, INDArray> given = new HashMap<>();
      paramTable.forEach((name, weight) -> given.put(name, weight.dup('c')));
      given.put(INPUT_KEY, input.dup('c'));
      given.put(EPSILON, epsilon.dup('c'));
      given.put(MASK_KEY, maskArray == null ? layerConf().onesMaskForInput(input) : maskArray);
      Map<String, INDArray> gradients = learning.calculateGradients(given, wanted);
      Gradient result = new DefaultGradient();
      for (String name : paramTable.keySet()) {
        gradTable.get(name).assign(gradients.get(name));
        result.gradientForVariable().put(name, gradTable.get(name));
      }
      INDArray ofInput = workspaces.dup(ArrayType.ACTIVATION_GRAD, gradients.get(INPUT_KEY));
      return new Pair<>(result, ofInput);
    }
  }

  private SameDiff learningGraph(List<String> wanted) {
    KvCachedSelfAttention attention = attention();
    SameDiff graph = SameDiff.create();
    SDVariable rows = graph.placeHolder(INPUT_KEY, dataType, -1, attention.nIn(), -1);
    SDVariable mask = graph.placeHolder(MASK_KEY, dataType, -1, -1);
    Map<String, SDVariable> weights = new HashMap<>();
    paramTable.forEach(
        (name, weight) -> weights.put(name, graph.placeHolder(name, dataType, weight.shape())));
    SDVariable output = attention.defineLayer(graph, rows, weights, mask);
    SDVariable epsilon = graph.placeHolder(EPSILON, dataType, -1, attention.nOut(), -1);
    graph.setLossVariables(output.mul(epsilon).sum("loss"));
    graph.createGradFunction(wanted.toArray(String[]::new));
    return graph;
  }

  /** Ends the layer's own sequences, and lets go of shared ones. */
  @Override
  public void rnnClearPreviousState() {
    attach(List.of(), 0);
  }

  /**
   * Keys and values of all steps so far, each {@code [batch, steps, heads * headSize]}; empty
   * before the first step.
   *
   * @throws IllegalStateException if the sequences of the batch are not equally long
   */
  @Override
  public Map<String, INDArray> rnnGetPreviousState() {
    if (spans.isEmpty()) {
      return Map.of();
    }
    int steps = spans.get(0).length();
    if (spans.stream().anyMatch(other -> other.length() != steps)) {
      throw new IllegalStateException("sequences of different lengths have no state in common");
    }
    int width = attention().heads() * attention().headSize();
    float[] keys = new float[spans.size() * steps * width];
    float[] values = new float[keys.length];
    int row = 0;
    for (KvSpans sequence : spans) {
      for (int s = 0; s < sequence.count(); s++) {
        sequence.block(s).read(layer, 0, sequence.tokens(s), keys, values, row);
        row += sequence.tokens(s);
      }
    }
    return Map.of(
        KEYS, Nd4j.createFromArray(keys).reshape('c', spans.size(), steps, width),
        VALUES, Nd4j.createFromArray(values).reshape('c', spans.size(), steps, width));
  }

  /** Begins sequences of the layer's own with what {@link #rnnGetPreviousState} gave. */
  @Override
  public void rnnSetPreviousState(Map<String, INDArray> state) {
    rnnClearPreviousState();
    if (!state.isEmpty()) {
      INDArray keys = state.get(KEYS);
      attach(ownSequences((int) keys.size(0)), 0);
      update(floats(keys), floats(state.get(VALUES)), (int) keys.size(1));
    }
  }

  @Override
  public INDArray rnnActivateUsingStoredState(
      INDArray input, boolean training, boolean storeLast, LayerWorkspaceMgr workspaces) {
    throw truncated();
  }

  @Override
  public Pair<Gradient, INDArray> tbpttBackpropGradient(
      INDArray epsilon, int length, LayerWorkspaceMgr workspaces) {
    throw truncated();
  }

  /** Always empty: there is no truncated backpropagation. */
  @Override
  public Map<String, INDArray> rnnGetTBPTTState() {
    return Map.of();
  }

  @Override
  public void rnnSetTBPTTState(Map<String, INDArray> state) {
    throw truncated();
  }

  private static UnsupportedOperationException truncated() {
    return new UnsupportedOperationException(
        "KvCachedSelfAttention learns from whole sequences, not by truncated backpropagation");
  }
}
