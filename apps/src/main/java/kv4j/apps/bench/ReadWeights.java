package kv4j.apps.bench;

import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.stream.Collectors;
import kv4j.apps.report.Format;
import kv4j.model.GraphNames;
import kv4j.model.Model;
import kv4j.model.TransformerWeights;
import kv4j.model.format.block.TensorType;
import kv4j.model.weight.PanelMatrix;
import kv4j.model.weight.Panels;
import kv4j.model.weight.WeightArrays;

/**
 * The weights that every pass reads, which are all but an untied token embedding, of which it reads
 * a few rows.
 *
 * @param bytes by how they are kept in memory
 */
public record ReadWeights(Map<TensorType, Long> bytes) {
  /** Those of a model that kv4j built or loaded, or of any other as if they were all floats. */
  static ReadWeights of(Model model) {
    Map<TensorType, Long> bytes = new TreeMap<>();
    TransformerWeights.shapes(model.config())
        .forEach(
            (name, shape) -> {
              if (name.equals(GraphNames.TOKEN_EMBEDDING) && !model.config().tiedOutput()) {
                return;
              }
              Optional<PanelMatrix> matrix = WeightArrays.panels(model.graph(), name);
              if (matrix.isPresent()) {
                for (Panels panels : matrix.get().panels()) {
                  bytes.merge(panels.type(), panels.size(), Long::sum);
                }
                return;
              }
              long elements = 1;
              for (long size : shape) {
                elements *= size;
              }
              bytes.merge(TensorType.F32, elements * Float.BYTES, Long::sum);
            });
    return new ReadWeights(bytes);
  }

  /** Bytes of all of them. */
  public long total() {
    return bytes.values().stream().mapToLong(Long::longValue).sum();
  }

  /** Such as {@code 1.09 GiB in Q8_0, 260 KiB in F32}: the most first. */
  String text() {
    return bytes.entrySet().stream()
        .sorted(Map.Entry.<TensorType, Long>comparingByValue().reversed())
        .map(entry -> Format.bytes(entry.getValue()) + " in " + entry.getKey())
        .collect(Collectors.joining(", "));
  }
}
