package kv4j.apps.store;

import static kv4j.apps.report.TextPage.left;
import static kv4j.apps.report.TextPage.right;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import kv4j.apps.report.Format;
import kv4j.apps.report.TextPage;
import kv4j.apps.store.Inventory.Block;
import kv4j.cache.block.BlockKey;
import kv4j.cache.block.KvLayout;

/**
 * What is in a place, for people and for programs.
 *
 * @param place as it was named
 * @param blocks how many
 * @param bytes that they take
 * @param damaged values that are no blocks any more
 * @param foreign values that are encrypted otherwise
 * @param chains of blocks, those of one model and layout together
 */
public record InventoryReport(
    String place, int blocks, long bytes, int damaged, int foreign, List<Row> chains) {
  private static final int SHORT = 12; // digits of a hash
  private static final int SHORT_TENANT = 8;

  /**
   * A chain.
   *
   * @param chain key of its last block
   * @param tenant hash of its model, tenant and salt
   * @param model fingerprint
   * @param dtype how numbers are stored
   * @param tokens up to its end
   * @param ownTokens of these, that no chain before it in the list has
   * @param bytes of these
   * @param written when its last block was written
   * @param whole whether none of its blocks is missing, without which no request finds the others
   */
  public record Row(
      String chain,
      String tenant,
      String model,
      int layers,
      int kvHeads,
      int headDim,
      int blockTokens,
      String dtype,
      int tokens,
      int ownTokens,
      long bytes,
      String written,
      boolean whole) {
    private String heading() {
      return "model %s: %d layers, %d KV heads of %d, blocks of %d tokens, %s"
          .formatted(brief(model, SHORT), layers, kvHeads, headDim, blockTokens, dtype);
    }
  }

  /** Of some of the blocks in a place. */
  public static InventoryReport of(String place, Inventory inventory, Set<BlockKey> some) {
    return new InventoryReport(
        place,
        some.size(),
        inventory.blocks().filter(b -> some.contains(b.key())).mapToLong(Block::bytes).sum(),
        inventory.damaged().size(),
        inventory.foreign(),
        inventory.chains(some).stream().map(InventoryReport::row).toList());
  }

  private static Row row(Inventory.Chain chain) {
    Block last = chain.last();
    KvLayout layout = last.layout();
    return new Row(
        last.key().toString(),
        last.root().toString(),
        last.model(),
        layout.layers(),
        layout.kvHeads(),
        layout.headDim(),
        layout.blockTokens(),
        layout.dtype().toString(),
        last.end(),
        chain.own() * layout.blockTokens(),
        chain.bytes(),
        Instant.ofEpochMilli(last.writtenMillis()).toString(),
        chain.whole());
  }

  private static String brief(String text, int length) {
    return text.substring(0, Math.min(length, text.length()));
  }

  /**
   * As tables and a line.
   *
   * @param now what ages are told by
   */
  public String text(Instant now) {
    return "%s%s: %s%n".formatted(chainsText(now), place, summary());
  }

  /** The tables alone. */
  String chainsText(Instant now) {
    TextPage page = new TextPage();
    Map<String, List<Row>> groups = new LinkedHashMap<>();
    chains.forEach(row -> groups.computeIfAbsent(row.heading(), h -> new ArrayList<>()).add(row));
    groups.forEach(
        (heading, rows) -> {
          page.line(heading);
          page.table(
              rows,
              List.of(
                  left("chain", row -> brief(row.chain, SHORT) + (row.whole ? "" : " *")),
                  left("tenant", row -> brief(row.tenant, SHORT_TENANT)),
                  right("tokens", row -> "%,d".formatted(row.tokens)),
                  right("of its own", row -> "%,d".formatted(row.ownTokens)),
                  right("bytes", row -> Format.bytes(row.bytes)),
                  right("age", row -> age(Duration.between(Instant.parse(row.written), now)))));
        });
    if (chains.stream().anyMatch(row -> !row.whole)) {
      page.paragraph(
          "* Blocks before are missing: no request finds these until the missing ones were computed"
              + " again.");
    }
    return page.toString();
  }

  /** How much there is. */
  String summary() {
    String text = count(blocks, "block") + ", " + Format.bytes(bytes);
    text += damaged == 0 ? "" : "; " + count(damaged, "damaged value");
    return text + (foreign == 0 ? "" : "; " + count(foreign, "value") + " encrypted otherwise");
  }

  /** A number of things. */
  static String count(int number, String thing) {
    return "%,d %s%s".formatted(number, thing, number == 1 ? "" : "s");
  }

  /** In the largest unit of which there are two or more. */
  static String age(Duration age) {
    if (age.toDays() >= 2) {
      return age.toDays() + " days";
    }
    if (age.toHours() >= 2) {
      return age.toHours() + " h";
    }
    return age.toMinutes() >= 2 ? age.toMinutes() + " min" : Math.max(0, age.toSeconds()) + " s";
  }
}
