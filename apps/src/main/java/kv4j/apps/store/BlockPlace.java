package kv4j.apps.store;

import java.io.IOException;
import java.util.Set;
import java.util.function.BiConsumer;
import kv4j.cache.block.BlockKey;

/** Where blocks are kept as bytes: a store, or a file. */
public interface BlockPlace extends AutoCloseable {
  /** Visits all values, as {@link kv4j.cache.store.BlockStore#forEach} does. */
  void forEach(BiConsumer<BlockKey, byte[]> visitor) throws IOException;

  /** Gives values up. */
  void remove(Set<BlockKey> keys) throws IOException;

  @Override
  void close();
}
