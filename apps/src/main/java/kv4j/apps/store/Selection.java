package kv4j.apps.store;

import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import kv4j.apps.cli.ValueOption;
import kv4j.apps.store.Inventory.Block;
import kv4j.cache.block.BlockKey;
import org.apache.commons.cli.CommandLine;
import org.apache.commons.cli.Option;

/**
 * Some of the blocks in a place: those that all of this is true of.
 *
 * @param model what the model's fingerprint begins with
 * @param tenant what the hash of model, tenant and salt begins with, as lists show it
 * @param chain what the last block's key begins with, of a chain of which all before it is meant
 *     too
 */
public record Selection(Optional<String> model, Optional<String> tenant, Optional<String> chain) {
  private static final ValueOption<String> MODEL =
      ofPrefix("model", "blocks of this model only: the beginning of its fingerprint");
  private static final ValueOption<String> TENANT =
      ofPrefix("tenant", "blocks of this tenant only: the beginning of its hash");
  private static final ValueOption<String> CHAIN =
      ofPrefix("chain", "this chain only: the beginning of its key");

  private static ValueOption<String> ofPrefix(String name, String description) {
    return ValueOption.optional(name, "HASH", description, Selection::prefix);
  }

  private static String prefix(String text) {
    if (!text.matches("[0-9a-f]{1,64}")) {
      throw new IllegalArgumentException(
          "must be hexadecimal digits, as list shows them, not \"" + text + "\"");
    }
    return text;
  }

  /** The options. */
  public static List<Option> options() {
    return List.of(MODEL.option(), TENANT.option(), CHAIN.option());
  }

  /** Reads them. */
  public static Selection read(CommandLine line) {
    return new Selection(MODEL.find(line), TENANT.find(line), CHAIN.find(line));
  }

  /** Whether everything is meant. */
  public boolean isAll() {
    return model.isEmpty() && tenant.isEmpty() && chain.isEmpty();
  }

  /**
   * The keys of the blocks that are meant.
   *
   * @throws IllegalArgumentException if there are none, though some were asked for
   */
  public Set<BlockKey> in(Inventory inventory) {
    Set<BlockKey> keys = new HashSet<>();
    inventory
        .blocks()
        .filter(block -> begins(block.model(), model) && begins(block.root().toString(), tenant))
        .filter(block -> begins(block.key().toString(), chain))
        .forEach(block -> add(block, inventory, keys));
    if (keys.isEmpty() && !isAll()) {
      throw new IllegalArgumentException("there is no such block");
    }
    return keys;
  }

  private void add(Block last, Inventory inventory, Set<BlockKey> keys) {
    keys.add(last.key());
    for (Block block = inventory.before(last);
        chain.isPresent() && block != null;
        block = inventory.before(block)) {
      keys.add(block.key());
    }
  }

  private static boolean begins(String text, Optional<String> beginning) {
    return beginning.map(text::startsWith).orElse(true);
  }
}
