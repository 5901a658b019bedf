package kv4j.apps.bench;

import static org.junit.jupiter.api.Assertions.assertEquals;

import kv4j.model.TransformerConfig;
import org.junit.jupiter.api.Test;

class FlopsTest {
  /** 2 layers, width 8, 2 heads and 1 KV head of 4, ffn 16, 10 tokens. */
  private static final TransformerConfig CONFIG =
      new TransformerConfig(
          2, 8, 2, 1, 4, 16, 10, 100, 1e-5f, 1e4f, TransformerConfig.RopePairing.SPLIT, false);

  @Test
  void oneTokenWorkedOutByHand() {
    // a layer's weights: qkv 8 x (4*4), output 8 x 8, gate, up and down 3 x 8 x 16
    int weights = 128 + 64 + 384;
    // its own key only: 2 heads x 4 for the score, as many for the mix; the head 8 x 10
    assertEquals(2 * (2 * (weights + 16) + 80), Flops.pass(CONFIG, 0, 1));
  }

  @Test
  void rowsSeeWhatIsInPlaceAndEachOther() {
    // 3 rows after 5 tokens see 6, 7 and 8
    assertEquals(2 * (2 * (3 * 576 + 16 * 21) + 80), Flops.pass(CONFIG, 5, 3));
  }

  @Test
  void aPromptInTwoPassesCostsOneMoreOutputHead() {
    assertEquals(
        Flops.pass(CONFIG, 0, 12) + 2 * 80, Flops.pass(CONFIG, 0, 7) + Flops.pass(CONFIG, 7, 5));
  }

  @Test
  void decodingIsAPassForEachTokenButTheFirst() {
    assertEquals(0, Flops.decode(CONFIG, 9, 1));
    assertEquals(Flops.pass(CONFIG, 9, 1) + Flops.pass(CONFIG, 10, 1), Flops.decode(CONFIG, 9, 3));
  }
}
