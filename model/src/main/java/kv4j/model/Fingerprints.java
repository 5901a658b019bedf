package kv4j.model;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Function;
import java.util.zip.CRC32;
import java.util.zip.CRC32C;
import java.util.zip.Checksum;
import kv4j.model.weight.PanelMatrix;
import kv4j.model.weight.Panels;
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
    return of(
        weights.config() + "\n" + tokenizer,
        TransformerWeights.shapes(weights.config()).keySet(),
        name -> {
          PanelMatrix panels = weights.panels().get(name);
          return panels == null ? sums(weights.arrays().get(name)) : sums(panels);
        });
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
    return of(ops.toString(), weights.keySet(), name -> sums(weights.get(name)));
  }

  private static String of(String description, Set<String> names, Function<String, String> sumsOf) {
    MessageDigest digest = sha256();
    digest.update((description + "\n").getBytes(StandardCharsets.UTF_8));
    names.parallelStream()
        .map(name -> name + " " + sumsOf.apply(name) + "\n")
        .forEachOrdered(line -> digest.update(line.getBytes(StandardCharsets.UTF_8)));
    return HexFormat.of().formatHex(digest.digest());
  }

  /** Both checksums of an array's memory as it lies, in the machine's byte order. */
  private static String sums(INDArray array) {
    ByteBuffer bytes = array.data().asNio();
    Sums sums = new Sums();
    for (int from = bytes.position(), count; from < bytes.limit(); from += count) {
      count = Math.min(IN_CACHE, bytes.limit() - from);
      sums.add(bytes.duplicate().position(from).limit(from + count));
    }
    return sums.toString();
  }

  /** Both checksums of all panels, with their types. */
  private static String sums(PanelMatrix matrix) {
    ByteBuffer piece = ByteBuffer.allocateDirect(IN_CACHE).order(ByteOrder.nativeOrder());
    StringBuilder all = new StringBuilder();
    for (Panels panels : matrix.panels()) {
      Sums sums = new Sums();
      while (panels.copy(sums.bytes, piece.clear())) {
        sums.add(piece.flip());
      }
      all.append(panels.type()).append(' ').append(sums).append(' ');
    }
    return all.toString();
  }

  /** Two checksums, computed in one reading. */
  private static final class Sums {
    private final Checksum castagnoli = new CRC32C();
    private final Checksum usual = new CRC32();
    private long bytes;

    void add(ByteBuffer piece) {
      bytes += piece.remaining();
      castagnoli.update(piece.duplicate());
      usual.update(piece);
    }

    @Override
    public String toString() {
      return castagnoli.getValue() + " " + usual.getValue();
    }
  }

  private static MessageDigest sha256() {
    try {
      return MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every Java platform has SHA-256", e);
    }
  }
}
