package kv4j.apps.store;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.time.Instant;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.BiConsumer;
import java.util.stream.Collectors;
import kv4j.apps.cli.DamagedException;
import kv4j.apps.cli.Terminal;
import kv4j.apps.report.Format;
import kv4j.apps.store.Inventory.Block;
import kv4j.apps.store.Inventory.Damaged;
import kv4j.cache.block.BlockKey;

/**
 * What is done with blocks that are kept in a place, be it a store or a file. Says what it did.
 *
 * @param check tells blocks from what is damaged
 * @param selection of which blocks
 */
public record StoreTools(BlockCheck check, Selection selection, Terminal terminal) {
  private static final int SHOWN = 20;

  /**
   * Writes blocks of a place to a file.
   *
   * @throws IllegalArgumentException if there are none, or the file cannot be written
   */
  public void save(BlockPlace from, String name, Path to) throws IOException {
    Inventory inventory = Inventory.of(from, check);
    Set<BlockKey> keys = selection.in(inventory);
    if (keys.isEmpty()) {
      throw new IllegalArgumentException("there are no blocks in " + name + " to save");
    }
    long size = new ArchivePlace(to).write(visitor -> forEach(from, keys, visitor));
    sayWhatIsLeftOut(inventory);
    terminal
        .out()
        .printf(
            "saved %s of %s to %s, %s%n",
            InventoryReport.count(keys.size(), "block"), name, to, Format.bytes(size));
  }

  private static void forEach(
      BlockPlace place, Set<BlockKey> keys, BiConsumer<BlockKey, byte[]> visitor) {
    try {
      place.forEach(only(keys, visitor));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static BiConsumer<BlockKey, byte[]> only(
      Set<BlockKey> keys, BiConsumer<BlockKey, byte[]> visitor) {
    return (key, value) -> {
      if (keys.contains(key)) {
        visitor.accept(key, value);
      }
    };
  }

  private void sayWhatIsLeftOut(Inventory inventory) {
    int damaged = inventory.damaged().size();
    if (damaged > 0) {
      terminal.err().println("left out " + InventoryReport.count(damaged, "damaged value"));
    }
    if (inventory.foreign() > 0) {
      terminal
          .err()
          .println(
              "left out "
                  + InventoryReport.count(inventory.foreign(), "value")
                  + " encrypted otherwise");
    }
  }

  /**
   * Puts blocks of a file into a store.
   *
   * @param salvage whether to take what is left of a file that is not whole
   * @throws IllegalArgumentException before anything is put, if the file is not whole
   */
  public void load(ArchivePlace from, StorePlace to, String names, boolean salvage)
      throws IOException {
    Inventory inventory = new Inventory(check);
    Optional<String> trouble = read(from, inventory::add, salvage);
    inventory.requireReadable();
    Set<BlockKey> keys = selection.in(inventory);
    long bytes =
        inventory.blocks().filter(b -> keys.contains(b.key())).mapToLong(Block::bytes).sum();
    read(from, only(keys, to::put), salvage);
    to.flush();
    trouble.ifPresent(problem -> terminal.err().println(problem + ": loading what is left"));
    sayWhatIsLeftOut(inventory);
    terminal
        .out()
        .printf(
            "loaded %s, %s, from %s%n",
            InventoryReport.count(keys.size(), "block"), Format.bytes(bytes), names);
  }

  private static Optional<String> read(
      ArchivePlace from, BiConsumer<BlockKey, byte[]> visitor, boolean salvage) throws IOException {
    if (salvage) {
      return from.forEachThatIsLeft(visitor);
    }
    from.forEach(visitor);
    return Optional.empty();
  }

  /** What is in a place. */
  public InventoryReport list(BlockPlace place, String name) throws IOException {
    Inventory inventory = Inventory.of(place, check);
    return InventoryReport.of(name, inventory, selection.in(inventory));
  }

  /**
   * Checks everything in a place.
   *
   * @param delete whether to remove what is damaged
   * @throws DamagedException if something is and stays
   */
  public void verify(BlockPlace place, String name, boolean delete)
      throws IOException, DamagedException {
    Inventory inventory = new Inventory(check);
    Optional<String> trouble = Optional.empty();
    if (place instanceof ArchivePlace archive) {
      trouble = archive.forEachThatIsLeft(inventory::add);
    } else {
      place.forEach(inventory::add);
    }
    inventory.requireReadable();
    List<Damaged> damaged = inventory.damaged();
    damaged.stream().limit(SHOWN).forEach(each -> terminal.out().println(line(each)));
    if (damaged.size() > SHOWN) {
      terminal.out().println("and %,d more".formatted(damaged.size() - SHOWN));
    }
    trouble.ifPresent(terminal.out()::println);
    terminal.out().println(list(inventory, name));
    if (damaged.isEmpty() && trouble.isEmpty()) {
      return;
    }
    if (!delete) {
      throw new DamagedException(
          damaged.isEmpty()
              ? trouble.orElseThrow()
              : InventoryReport.count(damaged.size(), "value") + " of " + name + " are damaged");
    }
    place.remove(damaged.stream().map(Damaged::key).collect(Collectors.toSet()));
    terminal.out().println("removed what is damaged");
  }

  private static String list(Inventory inventory, String name) {
    Set<BlockKey> all = inventory.blocks().map(Block::key).collect(Collectors.toSet());
    return name + ": " + InventoryReport.of(name, inventory, all).summary();
  }

  private static String line(Damaged value) {
    return "damaged: %s, %s: %s"
        .formatted(value.key(), Format.bytes(value.bytes()), value.problem());
  }

  /** Removes blocks, and what is damaged if that is asked for. */
  public void prune(BlockPlace place, String name, Optional<Pruning> pruning, boolean damaged)
      throws IOException {
    Inventory inventory = Inventory.of(place, check);
    Set<BlockKey> gone = new LinkedHashSet<>(); // last blocks first, should this break off
    long bytes = 0;
    if (pruning.isPresent()) {
      for (Block block :
          pruning.get().of(inventory, selection.in(inventory), System.currentTimeMillis())) {
        gone.add(block.key());
        bytes += block.bytes();
      }
    }
    terminal.out().print(InventoryReport.of(name, inventory, gone).chainsText(Instant.now()));
    int blocks = gone.size();
    if (damaged) {
      inventory.damaged().forEach(value -> gone.add(value.key()));
      bytes += inventory.damaged().stream().mapToLong(Damaged::bytes).sum();
    }
    place.remove(gone);
    terminal
        .out()
        .printf(
            "removed %s%s of %s, %s%n",
            InventoryReport.count(blocks, "block"),
            damaged ? " and " + InventoryReport.count(gone.size() - blocks, "damaged value") : "",
            name,
            Format.bytes(bytes));
  }
}
