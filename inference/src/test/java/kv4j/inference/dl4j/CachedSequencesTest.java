package kv4j.inference.dl4j;

import static kv4j.inference.dl4j.Networks.assertClose;
import static kv4j.inference.dl4j.Networks.inChunks;
import static kv4j.inference.dl4j.Networks.residual;
import static kv4j.inference.dl4j.Networks.settings;
import static kv4j.inference.dl4j.Networks.stack;
import static kv4j.inference.dl4j.Networks.steps;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.SplittableRandom;
import java.util.function.UnaryOperator;
import kv4j.cache.KvCache;
import kv4j.cache.KvCacheConfig;
import kv4j.cache.KvCaches;
import kv4j.cache.KvRequest;
import kv4j.cache.block.KvDtype;
import kv4j.cache.block.KvLayout;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.LSTM;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.junit.jupiter.api.Test;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

class CachedSequencesTest {
  private static final int CLASSES = 7;

  @Test
  void aPrefixIsNotComputedAgain() {
    MultiLayerNetwork network =
        new MultiLayerNetwork(stack(settings(1, DataType.FLOAT), 3, CLASSES, 2, 5));
    network.init();
    try (KvCache cache = cache("radix", CachedSequences.layout(network, 16, KvDtype.F32))) {
      prefixIsShared(
          requests -> CachedSequences.open(network, cache, requests),
          network::rnnTimeStep,
          network::output);
    }
  }

  @Test
  void norInAGraph() {
    ComputationGraph network =
        new ComputationGraph(residual(settings(2, DataType.FLOAT), CLASSES, 2, 5));
    network.init();
    try (KvCache cache = cache("radix", CachedSequences.layout(network, 16, KvDtype.F32))) {
      prefixIsShared(
          requests -> CachedSequences.open(network, cache, requests),
          part -> network.rnnTimeStep(part)[0],
          network::outputSingle);
    }
  }

  private interface Opener {
    CachedSequences open(KvRequest... requests);
  }

  private static void prefixIsShared(
      Opener opener, UnaryOperator<INDArray> rnnTimeStep, UnaryOperator<INDArray> output) {
    SplittableRandom random = new SplittableRandom(1);
    int[] shared = random.ints(40, 0, CLASSES).toArray();
    for (int expected : new int[] {0, 40, 40}) {
      int[] one = append(shared, random.ints(9, 0, CLASSES).toArray());
      int[] other = append(shared, random.ints(9, 0, CLASSES).toArray());
      one[40] = expected % 3; // so that no two go on alike
      other[40] = 4 + expected % 3;
      try (CachedSequences sequences = opener.open(KvRequest.of(one), KvRequest.of(other))) {
        int cached = sequences.cachedSteps(0);
        assertTrue(cached >= expected && cached < one.length, cached + " cached");
        assertEquals(cached, sequences.cachedSteps(1));
        INDArray input = Nd4j.concat(0, oneHot(one), oneHot(other));
        INDArray whole = output.apply(input);
        assertClose(
            steps(whole, cached, one.length),
            inChunks(random, rnnTimeStep, input, cached),
            cached + " cached");
        sequences.commit(0, one);
        sequences.commit(1, other);
      }
      INDArray alone = oneHot(one);
      assertClose(
          output.apply(alone), inChunks(random, rnnTimeStep, alone, 0), "a cache of its own");
    }
  }

  @Test
  void clearingTheStateEndsSharing() {
    MultiLayerNetwork network = network();
    try (KvCache cache = cache("request", CachedSequences.layout(network, 16, KvDtype.F32));
        CachedSequences sequences = CachedSequences.open(network, cache, KvRequest.of(1))) {
      network.rnnTimeStep(oneHot(1, 2, 3));
      assertEquals(3, sequences.cachedSteps(0));
      network.rnnClearPreviousState();
      network.rnnTimeStep(oneHot(1, 2));
      assertEquals(3, sequences.cachedSteps(0));
    }
  }

  @Test
  void whatDoesNotFitIsRefused() {
    MultiLayerNetwork network = network();
    KvLayout layout = CachedSequences.layout(network, 16, KvDtype.F32);
    assertEquals(new KvLayout(3, 2, 3, 16, KvDtype.F32), layout);
    KvLayout tooFew = new KvLayout(2, 2, 3, 16, KvDtype.F32);
    try (KvCache cache = cache("request", tooFew)) {
      assertThrows(
          IllegalArgumentException.class,
          () -> CachedSequences.open(network, cache, KvRequest.of(1)));
    }
    try (KvCache forgetful = cache("none", layout);
        CachedSequences sequences = CachedSequences.open(network, forgetful, KvRequest.of(1))) {
      network.rnnTimeStep(oneHot(1));
      Exception e =
          assertThrows(IllegalArgumentException.class, () -> network.rnnTimeStep(oneHot(2)));
      assertEquals("time steps need a cache that keeps the 1 steps before", e.getMessage());
      assertEquals(0, sequences.cachedSteps(0));
    }
    MultiLayerNetwork mixed =
        new MultiLayerNetwork(
            settings(1, DataType.FLOAT)
                .list()
                .layer(new LSTM.Builder().name("memory").nOut(4).build())
                .layer(new KvCachedSelfAttention.Builder().nOut(4).build())
                .setInputType(InputType.recurrent(4))
                .build());
    mixed.init();
    Exception e =
        assertThrows(
            IllegalArgumentException.class, () -> CachedSequences.layout(mixed, 16, KvDtype.F32));
    assertTrue(e.getMessage().startsWith("layer memory"), e.getMessage());
  }

  private static MultiLayerNetwork network() {
    MultiLayerNetwork network =
        new MultiLayerNetwork(stack(settings(3, DataType.FLOAT), 3, CLASSES, 2, 5));
    network.init();
    return network;
  }

  private static KvCache cache(String name, KvLayout layout) {
    return KvCaches.create(
        name, KvCacheConfig.of(layout, 1 << 24), CachedSequencesTest.class.getClassLoader());
  }

  private static int[] append(int[] first, int[] second) {
    int[] both = Arrays.copyOf(first, first.length + second.length);
    System.arraycopy(second, 0, both, first.length, second.length);
    return both;
  }

  /** {@code [1, classes, steps]}. */
  private static INDArray oneHot(int... classes) {
    INDArray input = Nd4j.zeros(DataType.FLOAT, 1, CLASSES, classes.length);
    for (int step = 0; step < classes.length; step++) {
      input.putScalar(0, classes[step], step, 1);
    }
    return input;
  }
}
