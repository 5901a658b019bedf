package kv4j.model;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import org.nd4j.linalg.api.ndarray.INDArray;

/** Names what a model computes. */
final class Fingerprints {
  private Fingerprints() {}

  /** SHA-256, in hexadecimal digits, over the config, the tokenizer and all weights. */
  static String of(TransformerWeights weights, String tokenizer) {
    MessageDigest digest = sha256();
    digest.update((weights.config() + "\n" + tokenizer + "\n").getBytes(StandardCharsets.UTF_8));
    weights
        .arrays()
        .forEach(
            (name, array) -> {
              digest.update((name + "\n").getBytes(StandardCharsets.UTF_8));
              digest.update(bytes(array));
            });
    return HexFormat.of().formatHex(digest.digest());
  }

  /** The array's own memory, in the byte order of the machine. */
  private static ByteBuffer bytes(INDArray array) {
    return array.data().asNio();
  }

  private static MessageDigest sha256() {
    try {
      return MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every Java platform has SHA-256", e);
    }
  }
}
