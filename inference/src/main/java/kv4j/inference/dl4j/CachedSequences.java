package kv4j.inference.dl4j;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import kv4j.cache.KvCache;
import kv4j.cache.KvRequest;
import kv4j.cache.KvSequence;
import kv4j.cache.block.KvDtype;
import kv4j.cache.block.KvLayout;
import org.deeplearning4j.nn.api.Layer;
import org.deeplearning4j.nn.api.layers.RecurrentLayer;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.graph.vertex.GraphVertex;
import org.deeplearning4j.nn.layers.wrapper.BaseWrapperLayer;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;

/**
 * Lets the {@link KvCachedSelfAttention} layers of a network keep keys and values in a cache that
 * requests share, so that a prefix which another run has computed need not be computed again.
 *
 * <p>The caller names each time step by a number, the same for the same input and another for
 * another: the class of a one-hot input, say. A request is opened with the numbers of its first
 * steps; {@code rnnTimeStep} then gets the inputs from step {@link #cachedSteps} on; {@link
 * #commit} offers what was computed to later requests. The request's {@code model} must be another
 * whenever the network's weights are.
 *
 * <p>In use until closed or until the network's {@code rnnClearPreviousState}.
 */
public final class CachedSequences implements AutoCloseable {
  private final List<KvCachedSelfAttentionLayer> layers;
  private final List<KvSequence> sequences;

  private CachedSequences(List<KvCachedSelfAttentionLayer> layers, List<KvSequence> sequences) {
    this.layers = layers;
    this.sequences = sequences;
    for (int i = 0; i < layers.size(); i++) {
      layers.get(i).attach(sequences, i);
    }
  }

  /**
   * The shape of a network's keys and values, to make a cache of.
   *
   * @throws IllegalArgumentException if the network has no {@link KvCachedSelfAttention}, has some
   *     of different shapes, or other layers that remember time steps
   */
  public static KvLayout layout(MultiLayerNetwork network, int blockTokens, KvDtype dtype) {
    return layout(attention(layers(network)), blockTokens, dtype);
  }

  /** The same for a graph. */
  public static KvLayout layout(ComputationGraph network, int blockTokens, KvDtype dtype) {
    return layout(attention(layers(network)), blockTokens, dtype);
  }

  /**
   * Begins new sequences, one for each example of the batch to come.
   *
   * @throws IllegalArgumentException if the cache's layout is not the network's
   */
  public static CachedSequences open(
      MultiLayerNetwork network, KvCache cache, KvRequest... requests) {
    return open(attention(layers(network)), cache, requests);
  }

  /** The same for a graph. */
  public static CachedSequences open(
      ComputationGraph network, KvCache cache, KvRequest... requests) {
    return open(attention(layers(network)), cache, requests);
  }

  private static CachedSequences open(
      List<KvCachedSelfAttentionLayer> layers, KvCache cache, KvRequest... requests) {
    KvLayout given = cache.layout();
    KvLayout needed = layout(layers, given.blockTokens(), given.dtype());
    if (!given.equals(needed)) {
      throw new IllegalArgumentException(
          "the network needs a cache of " + needed + ", not of " + given);
    }
    if (requests.length == 0) {
      throw new IllegalArgumentException("a batch needs at least one request");
    }
    List<KvSequence> sequences = new ArrayList<>();
    try {
      for (KvRequest request : requests) {
        sequences.add(cache.open(request));
      }
    } catch (RuntimeException e) {
      sequences.forEach(KvSequence::close);
      throw e;
    }
    return new CachedSequences(layers, sequences);
  }

  private static KvLayout layout(
      List<KvCachedSelfAttentionLayer> layers, int blockTokens, KvDtype dtype) {
    List<KvLayout> layouts =
        layers.stream()
            .map(layer -> layer.layout(layers.size(), blockTokens, dtype))
            .distinct()
            .toList();
    if (layouts.size() != 1) {
      throw new IllegalArgumentException(
          "the attention layers must have heads of one number and size, not " + layouts);
    }
    return layouts.get(0);
  }

  /** In the order in which they run. */
  private static List<Layer> layers(MultiLayerNetwork network) {
    return Arrays.asList(network.getLayers());
  }

  private static List<Layer> layers(ComputationGraph network) {
    GraphVertex[] vertices = network.getVertices();
    return Arrays.stream(network.topologicalSortOrder())
        .mapToObj(vertex -> vertices[vertex])
        .filter(GraphVertex::hasLayer)
        .map(GraphVertex::getLayer)
        .filter(Objects::nonNull)
        .toList();
  }

  private static List<KvCachedSelfAttentionLayer> attention(List<Layer> layers) {
    List<KvCachedSelfAttentionLayer> found = new ArrayList<>();
    for (Layer outer : layers) {
      Layer layer = outer instanceof BaseWrapperLayer wrapper ? wrapper.getUnderlying() : outer;
      if (layer instanceof KvCachedSelfAttentionLayer attention) {
        found.add(attention);
      } else if (layer instanceof RecurrentLayer) {
        throw new IllegalArgumentException(
            "layer "
                + layer.conf().getLayer().getLayerName()
                + " remembers time steps in a way that no cache can keep");
      }
    }
    if (found.isEmpty()) {
      throw new IllegalArgumentException("the network has no KvCachedSelfAttention");
    }
    return found;
  }

  /**
   * Leading steps of a sequence whose keys and values are in place: {@code rnnTimeStep} gets the
   * inputs after them.
   *
   * @param example number in the batch
   */
  public int cachedSteps(int example) {
    return sequences.get(example).length();
  }

  /**
   * Offers what has been computed to later requests.
   *
   * @param example number in the batch
   * @param steps the numbers that name its steps, from the first on
   */
  public void commit(int example, int... steps) {
    sequences.get(example).commit(steps);
  }

  /** Gives the sequences back; the network's next time step begins a new one. */
  @Override
  public void close() {
    for (KvCachedSelfAttentionLayer layer : layers) {
      if (layer.isAttachedTo(sequences)) {
        layer.rnnClearPreviousState();
      }
    }
    sequences.forEach(KvSequence::close);
  }
}
