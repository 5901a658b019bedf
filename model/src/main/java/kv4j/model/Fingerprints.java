package kv4j.model;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.zip.CRC32;
import java.util.zip.CRC32C;
import java.util.zip.Checksum;
import org.nd4j.linalg.api.ndarray.INDArray;

/** Names what a model computes. */
final class Fingerprints {
  private Fingerprints() {}

  /**
   * SHA-256, in hexadecimal digits, over the config, the tokenizer and two checksums of each
   * weight: processors have both built in, and all of a model's bytes go through them in a moment.
   */
  static String of(TransformerWeights weights, String tokenizer) {
    MessageDigest digest = sha256();
    digest.update((weights.config() + "\n" + tokenizer + "\n").getBytes(StandardCharsets.UTF_8));
    weights
        .arrays()
        .forEach(
            (name, array) -> {
              String sums =
                  name + " " + sum(new CRC32C(), array) + " " + sum(new CRC32(), array) + "\n";
              digest.update(sums.getBytes(StandardCharsets.UTF_8));
            });
    return HexFormat.of().formatHex(digest.digest());
  }

  /** Of the array's own memory, in the byte order of the machine. */
  private static long sum(Checksum checksum, INDArray array) {
    checksum.update(array.data().asNio());
    return checksum.getValue();
  }

  private static MessageDigest sha256() {
    try {
      return MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every Java platform has SHA-256", e);
    }
  }
}
