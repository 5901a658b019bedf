package kv4j.inference.dl4j;

import java.util.Collection;
import java.util.Map;
import java.util.Objects;
import org.deeplearning4j.nn.api.Layer;
import org.deeplearning4j.nn.conf.InputPreProcessor;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.RNNFormat;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.InputTypeUtil;
import org.deeplearning4j.nn.conf.layers.samediff.SDLayerParams;
import org.deeplearning4j.nn.conf.layers.samediff.SameDiffLayer;
import org.deeplearning4j.optimize.api.TrainingListener;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.memory.MemoryWorkspace;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.shade.jackson.annotation.JsonProperty;

/**
 * Causal multi-head self-attention (Vaswani et al. 2017) for a {@code MultiLayerNetwork} or {@code
 * ComputationGraph}: from {@code [batch, nIn, steps]} to {@code [batch, nOut, steps]}, where each
 * step attends to itself and the steps before it. There are no biases, and nothing tells steps
 * apart but the mask of causality: positions, where wanted, belong to the input.
 *
 * <p>{@code output} and {@code fit} compute whole sequences. {@code rnnTimeStep} takes one step or
 * several and keeps keys and values in a cache, so that the steps before are not computed again:
 * one of the layer's own until {@code rnnClearPreviousState}, or one that requests share, see
 * {@link CachedSequences}. Truncated backpropagation through time is refused.
 *
 * <p>A step that is masked gives zeros and is attended to by no other.
 */
public class KvCachedSelfAttention extends SameDiffLayer {
  private static final long serialVersionUID = 1L;

  /** Weight {@code [nIn, heads * headSize]}. */
  static final String QUERY_WEIGHT = "Wq";

  /** Weight {@code [nIn, heads * headSize]}. */
  static final String KEY_WEIGHT = "Wk";

  /** Weight {@code [nIn, heads * headSize]}. */
  static final String VALUE_WEIGHT = "Wv";

  /** Weight {@code [heads * headSize, nOut]}. */
  static final String OUTPUT_WEIGHT = "Wo";

  /** Beyond any score, so that its exponential is 0; finite, so that no difference is NaN. */
  private static final double UNSEEN = -1e9;

  @JsonProperty private long nIn;
  @JsonProperty private long nOut;
  @JsonProperty private int heads;
  @JsonProperty private int headSize;

  /** For deserialisation. */
  private KvCachedSelfAttention() {}

  private KvCachedSelfAttention(Builder builder) {
    super(builder);
    nIn = builder.nIn;
    nOut = builder.nOut;
    heads = builder.heads;
    headSize = builder.headSize;
  }

  /** Features of the input; 0 if not known yet. */
  public long nIn() {
    return nIn;
  }

  /** Features of the output. */
  public long nOut() {
    return nOut;
  }

  public int heads() {
    return heads;
  }

  /** Elements of one head's query, key or value. */
  public int headSize() {
    return headSize;
  }

  private long width() {
    return (long) heads * headSize;
  }

  @Override
  public void setNIn(InputType inputType, boolean override) {
    InputType.InputTypeRecurrent recurrent = recurrent(inputType);
    if (nIn == 0 || override) {
      nIn = recurrent.getSize();
      defineParameters(getLayerParams());
    }
  }

  @Override
  public InputType getOutputType(int layerIndex, InputType inputType) {
    return InputType.recurrent(nOut, recurrent(inputType).getTimeSeriesLength());
  }

  private InputType.InputTypeRecurrent recurrent(InputType inputType) {
    if (inputType instanceof InputType.InputTypeRecurrent recurrent
        && recurrent.getFormat() == RNNFormat.NCW) {
      return recurrent;
    }
    throw new IllegalArgumentException(
        getLayerName() + " attends over [batch, features, steps], not over " + inputType);
  }

  @Override
  public InputPreProcessor getPreProcessorForInputType(InputType inputType) {
    return InputTypeUtil.getPreprocessorForInputTypeRnnLayers(
        inputType, RNNFormat.NCW, getLayerName());
  }

  @Override
  public void defineParameters(SDLayerParams params) {
    params.clear();
    params.addWeightParam(QUERY_WEIGHT, nIn, width());
    params.addWeightParam(KEY_WEIGHT, nIn, width());
    params.addWeightParam(VALUE_WEIGHT, nIn, width());
    params.addWeightParam(OUTPUT_WEIGHT, width(), nOut);
  }

  @Override
  @SuppressWarnings("try") // opened and closed, never read
  public void initializeParameters(Map<String, INDArray> params) {
    try (MemoryWorkspace none = Nd4j.getWorkspaceManager().scopeOutOfWorkspaces()) {
      params.forEach(
          (name, weight) ->
              initWeights((int) weight.size(0), (int) weight.size(1), weightInit, weight));
    }
  }

  @Override
  public Layer instantiate(
      NeuralNetConfiguration conf,
      Collection<TrainingListener> trainingListeners,
      int layerIndex,
      INDArray layerParamsView,
      boolean initializeParams,
      DataType networkDataType) {
    if (nIn < 1) {
      throw new IllegalArgumentException(
          getLayerName() + " needs nIn, or a network with an input type");
    }
    if (networkDataType != DataType.FLOAT && networkDataType != DataType.DOUBLE) {
      throw new IllegalArgumentException(
          getLayerName() + " computes in FLOAT or DOUBLE, not in " + networkDataType);
    }
    KvCachedSelfAttentionLayer layer = new KvCachedSelfAttentionLayer(conf, networkDataType);
    layer.setListeners(trainingListeners);
    layer.setIndex(layerIndex);
    layer.setParamsViewArray(layerParamsView);
    layer.setParamTable(initializer().init(conf, layerParamsView, initializeParams));
    layer.setConf(conf);
    return layer;
  }

  /**
   * @param input {@code [batch, nIn, steps]}
   * @param mask {@code [batch, steps]}, 1 for a step that is there
   */
  @Override
  public SDVariable defineLayer(
      SameDiff graph, SDVariable input, Map<String, SDVariable> weights, SDVariable mask) {
    SDVariable batchAndSteps = graph.shape(mask);
    SDVariable rows = graph.reshape(graph.permute(input, 0, 2, 1), -1, nIn);
    SDVariable queries = byHead(graph, rows.mmul(weights.get(QUERY_WEIGHT)), batchAndSteps);
    SDVariable keys = byHead(graph, rows.mmul(weights.get(KEY_WEIGHT)), batchAndSteps);
    SDVariable values = byHead(graph, rows.mmul(weights.get(VALUE_WEIGHT)), batchAndSteps);
    SDVariable scores = graph.mmul(queries, keys, false, true, false).mul(1 / Math.sqrt(headSize));
    SDVariable shares = graph.nn().softmax(scores.add(unseen(graph, mask)), -1);
    SDVariable mixed = graph.permute(graph.mmul(shares, values), 0, 2, 1, 3);
    SDVariable output = graph.reshape(mixed, -1, width()).mmul(weights.get(OUTPUT_WEIGHT));
    SDVariable shape = graph.concat(0, batchAndSteps, graph.constant(Nd4j.createFromArray(nOut)));
    SDVariable bySteps = graph.permute(graph.reshape(output, shape), 0, 2, 1);
    return bySteps.mul(graph.expandDims(mask, 1));
  }

  /** From {@code [batch * steps, heads * headSize]} to {@code [batch, heads, steps, headSize]}. */
  private SDVariable byHead(SameDiff graph, SDVariable rows, SDVariable batchAndSteps) {
    SDVariable headsAndSize = graph.constant(Nd4j.createFromArray((long) heads, (long) headSize));
    SDVariable shape = graph.concat(0, batchAndSteps, headsAndSize);
    return graph.permute(graph.reshape(rows, shape), 0, 2, 1, 3);
  }

  /** {@code [batch, 1, steps, steps]}: hugely negative for later steps and for masked ones. */
  private static SDVariable unseen(SameDiff graph, SDVariable mask) {
    SDVariable positions = graph.cumsum(graph.onesLike(mask), 1);
    SDVariable later = graph.gt(graph.expandDims(positions, 1), graph.expandDims(positions, 2));
    SDVariable absent = graph.expandDims(mask.rsub(1.0), 1);
    SDVariable either = absent.add(graph.castTo(later, mask.dataType()));
    return graph.expandDims(either, 1).mul(UNSEEN);
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof KvCachedSelfAttention that
        && super.equals(other)
        && nIn == that.nIn
        && nOut == that.nOut
        && heads == that.heads
        && headSize == that.headSize;
  }

  @Override
  public int hashCode() {
    return Objects.hash(super.hashCode(), nIn, nOut, heads, headSize);
  }

  /** Builds the configuration of a layer. */
  @SuppressWarnings("unchecked") // build: any layer is asked for, and this is one
  public static final class Builder extends SameDiffLayer.Builder<Builder> {
    private long nIn;
    private long nOut;
    private int heads = 1;
    private int headSize;

    /** Features of the input; not needed where the network has an input type. */
    public Builder nIn(long nIn) {
      this.nIn = nIn;
      return this;
    }

    /** Features of the output. */
    public Builder nOut(long nOut) {
      this.nOut = nOut;
      return this;
    }

    /** Number of heads, 1 unless told otherwise. */
    public Builder heads(int heads) {
      this.heads = heads;
      return this;
    }

    /** Elements of one head's query, key or value; {@code nOut / heads} unless told otherwise. */
    public Builder headSize(int headSize) {
      this.headSize = headSize;
      return this;
    }

    /**
     * @throws IllegalArgumentException if a size is missing or negative, or the heads cannot share
     *     the output evenly
     */
    @Override
    public KvCachedSelfAttention build() {
      if (nOut < 1 || heads < 1 || nIn < 0 || headSize < 0) {
        throw new IllegalArgumentException(
            "attention needs at least 1 output feature and 1 head, not " + nOut + " and " + heads);
      }
      if (headSize == 0) {
        if (nOut % heads != 0) {
          throw new IllegalArgumentException(
              heads + " heads cannot share " + nOut + " output features evenly");
        }
        headSize = (int) (nOut / heads);
      }
      return new KvCachedSelfAttention(this);
    }
  }
}
