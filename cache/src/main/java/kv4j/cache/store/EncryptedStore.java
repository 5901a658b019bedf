package kv4j.cache.store;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.function.BiConsumer;
import kv4j.cache.block.BlockKey;

/**
 * Encrypts what another store keeps. Keys stay as they are: they are hashes. What is there and is
 * not encrypted, or with another secret key, is as if it were not there.
 */
public final class EncryptedStore implements BlockStore {
  private final BlockStore store;
  private final ValueCipher cipher;

  /** Takes over the other store. */
  public EncryptedStore(BlockStore store, ValueCipher cipher) {
    this.store = store;
    this.cipher = cipher;
  }

  /**
   * Likewise.
   *
   * @param keyFile as {@link ValueCipher#ofKeyFile} reads it
   * @throws IllegalArgumentException with one sentence if it cannot be read, or holds no key
   */
  public static EncryptedStore of(BlockStore store, Path keyFile) {
    return new EncryptedStore(store, ValueCipher.ofKeyFile(keyFile));
  }

  @Override
  public CompletableFuture<Void> ready() {
    return store.ready();
  }

  @Override
  public List<CompletableFuture<byte[]>> get(List<BlockKey> chain) {
    List<CompletableFuture<byte[]>> values = store.get(chain);
    List<CompletableFuture<byte[]>> decrypted = new ArrayList<>();
    for (int i = 0; i < values.size(); i++) {
      BlockKey key = chain.get(i);
      decrypted.add(values.get(i).thenApply(value -> decrypt(key, value)));
    }
    return decrypted;
  }

  private byte[] decrypt(BlockKey key, byte[] value) {
    if (value == null || !cipher.isOwn(value)) {
      return null;
    }
    try {
      return cipher.decrypt(key, value);
    } catch (IllegalArgumentException e) {
      throw new DamagedValueException(key + ": " + e.getMessage(), e);
    }
  }

  @Override
  public CompletableFuture<Void> put(BlockKey key, byte[] value) {
    return store.put(key, cipher.encrypt(key, value));
  }

  @Override
  public CompletableFuture<Void> remove(BlockKey key) {
    return store.remove(key);
  }

  /** {@inheritDoc} What cannot be decrypted is left out. */
  @Override
  public void forEach(BiConsumer<BlockKey, byte[]> visitor) {
    store.forEach(
        (key, value) -> {
          byte[] decrypted;
          try {
            decrypted = decrypt(key, value);
          } catch (DamagedValueException e) {
            return;
          }
          if (decrypted != null) {
            visitor.accept(key, decrypted);
          }
        });
  }

  @Override
  public StoreContents contents() {
    return store.contents();
  }

  @Override
  public void close() {
    store.close();
  }
}
