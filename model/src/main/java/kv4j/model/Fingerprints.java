package kv4j.model;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.Map;
import java.util.TreeMap;
import java.util.zip.CRC32;
import java.util.zip.CRC32C;
import java.util.zip.Checksum;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.autodiff.samediff.VariableType;
import org.nd4j.linalg.api.ndarray.INDArray;

/** Makes fingerprints, which are equal only for models that compute the same. */
final class Fingerprints {
  private static final int IN_CACHE = 1 << 18;

  private Fingerprints() {}

  /**
   * SHA-256, in hexadecimal digits, over the config, the tokenizer and two checksums of each
   * weight: processors have both built in, and all of a model's bytes go through them in a moment.
   */
  static String of(TransformerWeights weights, String tokenizer) {
    return of(weights.config() + "\n" + tokenizer, weights.arrays());
  }

  /**
   * SHA-256, in hexadecimal digits, over the config, the tokenizer, the graph's ops and all its
   * weights and constants.
   */
  static String of(TransformerConfig config, SameDiff graph, String tokenizer) {
    StringBuilder ops = new StringBuilder(config + "\n" + tokenizer);
    new TreeMap<>(graph.getOps())
        .forEach(
            (name, op) ->
                ops.append('\n')
                    .append(op.getOp().opName())
                    .append(op.getInputsToOp())
                    .append(op.getOutputsOfOp()));
    Map<String, INDArray> weights = new TreeMap<>();
    for (SDVariable variable : graph.variables()) {
      if (variable.isConstant() || variable.getVariableType() == VariableType.VARIABLE) {
        weights.put(variable.name(), variable.getArr().dup('c'));
      }
    }
    return of(ops.toString(), weights);
  }

  private static String of(String description, Map<String, INDArray> weights) {
    MessageDigest digest = sha256();
    digest.update((description + "\n").getBytes(StandardCharsets.UTF_8));
    weights.entrySet().parallelStream()
        .map(weight -> weight.getKey() + " " + sums(weight.getValue()) + "\n")
        .forEachOrdered(line -> digest.update(line.getBytes(StandardCharsets.UTF_8)));
    return HexFormat.of().formatHex(digest.digest());
  }

  /**
   * Both checksums of an array's memory as it lies, in the machine's byte order, computed in one
   * reading.
   */
  private static String sums(INDArray array) {
    ByteBuffer bytes = array.data().asNio();
    Checksum castagnoli = new CRC32C();
    Checksum usual = new CRC32();
    int end = bytes.limit();
    for (int from = bytes.position(), count; from < end; from += count) {
      count = Math.min(IN_CACHE, end - from);
      ByteBuffer piece = bytes.duplicate().position(from).limit(from + count);
      castagnoli.update(piece.duplicate());
      usual.update(piece);
    }
    return castagnoli.getValue() + " " + usual.getValue();
  }

  private static MessageDigest sha256() {
    try {
      return MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every Java platform has SHA-256", e);
    }
  }
}
