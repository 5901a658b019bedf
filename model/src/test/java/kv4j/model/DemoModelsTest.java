package kv4j.model;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.Random;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

class DemoModelsTest {
  private static final Model DEEP = DemoModels.create(ModelPreset.S, 1);
  private static final int PROMPT = 300;
  private static final int NEW_TOKENS = 16;

  @Test
  void fingerprintTellsModelsApart() {
    String one = DemoModels.create(ModelPreset.TINY, 1).fingerprint();
    assertEquals(one, DemoModels.create(ModelPreset.TINY, 1).fingerprint());
    assertNotEquals(one, DemoModels.create(ModelPreset.TINY, 2).fingerprint());
    TransformerWeights weights = DemoModels.randomWeights(ModelPreset.TINY.config(), 1).packed();
    assertEquals(one, Fingerprints.of(weights, "bytes"));
    assertNotEquals(one, Fingerprints.of(weights, "words"));
    weights.get(GraphNames.FINAL_NORM_GAIN).putScalar(63, 1.0001);
    assertNotEquals(one, Fingerprints.of(weights, "bytes"));
  }

  @Test
  void weightsAreTheNumbersOfOneRandomSequence() {
    SplittableRandom random = new SplittableRandom(-5);
    DemoModels.randomWeights(ModelPreset.TINY.config(), -5)
        .arrays()
        .forEach(
            (name, array) -> {
              float[] weights = array.data().asFloat();
              float scale = name.endsWith("/gain") ? 0 : weights[0] / random.nextInt();
              for (int i = 1; i < weights.length; i++) {
                assertEquals(
                    scale == 0 ? 1 : random.nextInt() * scale, weights[i], 1e-5f, name + " " + i);
              }
            });
  }

  @Test
  void presetsAreFoundByName() {
    assertSame(ModelPreset.S, ModelPreset.named("s"));
    assertSame(ModelPreset.M, ModelPreset.named("M"));
    assertSame(ModelPreset.TINY, ModelPreset.named("TINY"));
    String message =
        assertThrows(IllegalArgumentException.class, () -> ModelPreset.named("huge")).getMessage();
    for (String part : new String[] {"huge", "S, ", "M, ", "tiny"}) {
      assertTrue(message.contains(part), message);
    }
  }

  @Test
  void anEarlyTokenChangesTheChoicesOf32Layers() {
    SameDiff graph = DEEP.graph();
    int changed = 0;
    for (int seed = 0; seed < 2; seed++) {
      Random random = new Random(seed);
      int[] tokens = random.ints(PROMPT + NEW_TOKENS, 0, 256).toArray();
      int[] prompt = Arrays.copyOf(tokens, PROMPT);
      int[] choices = choices(graph, prompt, tokens);
      assertTrue(Arrays.stream(choices).distinct().count() > 4, "seed " + seed);
      if (!Arrays.equals(choices, choices(graph, changed(prompt, random), tokens))) {
        changed++;
      }
    }
    assertEquals(2, changed);
  }

  @Test
  void smallErrorsStaySmallThrough32Layers() {
    SameDiff graph = DEEP.graph();
    int[] tokens = new Random(1).ints(PROMPT, 0, 256).toArray();
    INDArray before = Nd4j.create(StockSession.logits(graph, tokens));
    INDArray embedding = graph.getVariable(GraphNames.TOKEN_EMBEDDING).getArr();
    INDArray original = embedding.dup();
    double relative = 1e-3;
    Random random = new Random(2);
    float[] noise = new float[(int) embedding.length()];
    for (int i = 0; i < noise.length; i++) {
      noise[i] = (float) (1 + relative * (2 * random.nextFloat() - 1));
    }
    embedding.muli(Nd4j.create(noise, embedding.shape(), 'c'));
    INDArray after = Nd4j.create(StockSession.logits(graph, tokens));
    embedding.assign(original);
    double largest = before.amaxNumber().doubleValue();
    double change = after.sub(before).amaxNumber().doubleValue() / largest;
    assertTrue(change < 10 * relative, "logits changed by " + change);
    assertTrue(change > 0.01 * relative, "logits changed by " + change);
    double deviation = before.stdNumber().doubleValue();
    assertTrue(deviation > 2 && deviation < 4, "logits deviate by " + deviation);
  }

  /**
   * The likeliest token after the prompt and after each of the tokens that continue it: up to the
   * first that differs from the continuation, what greedy decoding gives.
   */
  private static int[] choices(SameDiff graph, int[] prompt, int[] continued) {
    int[] tokens = continued.clone();
    System.arraycopy(prompt, 0, tokens, 0, prompt.length);
    float[][] logits = StockSession.logits(graph, tokens);
    int[] choices = new int[NEW_TOKENS];
    for (int i = 0; i < NEW_TOKENS; i++) {
      choices[i] = StockSession.likeliest(logits[prompt.length - 1 + i]);
    }
    return choices;
  }

  private static int[] changed(int[] prompt, Random random) {
    int[] other = prompt.clone();
    int at = random.nextInt(16);
    other[at] = (other[at] + 1 + random.nextInt(255)) % 256;
    return other;
  }
}
