package kv4j.cache.store;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.SecureRandom;
import java.util.Arrays;
import java.util.Base64;
import java.util.HexFormat;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.function.BiConsumer;
import java.util.stream.IntStream;
import javax.crypto.AEADBadTagException;
import javax.crypto.Cipher;
import javax.crypto.SecretKey;
import javax.crypto.spec.GCMParameterSpec;
import javax.crypto.spec.SecretKeySpec;
import kv4j.cache.block.BlockKey;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Encrypts what goes into another store, with AES-256 in Galois/counter mode (NIST SP 800-38D):
 * each value is 12 random bytes, the encrypted bytes and 16 bytes that authenticate them together
 * with the block's key, so that one value cannot be passed off as another's. What does not
 * authenticate fails with {@link DamagedValueException}. Keys of blocks are stored as they are:
 * they are hashes already.
 */
public final class EncryptedStore implements BlockStore {
  private static final Logger LOG = LoggerFactory.getLogger(EncryptedStore.class);
  private static final int KEY_BYTES = 32;
  private static final int NONCE_BYTES = 12;
  private static final int TAG_BYTES = 16;

  private final BlockStore store;
  private final SecretKey key;
  private final SecureRandom random = new SecureRandom();

  private EncryptedStore(BlockStore store, byte[] key) {
    this.store = store;
    this.key = new SecretKeySpec(key, "AES");
  }

  /**
   * Encrypts what goes into a store, which is closed with this one.
   *
   * @param keyFile holds 32 bytes, as they are or as text in hexadecimal or Base64
   * @throws IllegalArgumentException with one sentence if it cannot be read, or holds anything else
   */
  public static EncryptedStore of(BlockStore store, Path keyFile) {
    try {
      return new EncryptedStore(store, key(Files.readAllBytes(keyFile), keyFile));
    } catch (IOException e) {
      throw new IllegalArgumentException("the key file " + keyFile + " cannot be read: " + e, e);
    }
  }

  private static byte[] key(byte[] content, Path keyFile) {
    if (content.length == KEY_BYTES) {
      return content;
    }
    String text = new String(content, StandardCharsets.ISO_8859_1).strip();
    try {
      byte[] key =
          text.length() == 2 * KEY_BYTES
              ? HexFormat.of().parseHex(text)
              : Base64.getDecoder().decode(text);
      if (key.length == KEY_BYTES) {
        return key;
      }
    } catch (IllegalArgumentException e) {
      LOG.debug("neither hexadecimal nor Base64", e);
    }
    throw new IllegalArgumentException(
        "the key file %s must hold %d bytes, as they are or in hexadecimal or Base64"
            .formatted(keyFile, KEY_BYTES));
  }

  @Override
  public CompletableFuture<Void> ready() {
    return store.ready();
  }

  @Override
  public List<CompletableFuture<byte[]>> get(List<BlockKey> chain) {
    List<CompletableFuture<byte[]>> stored = store.get(chain);
    return IntStream.range(0, stored.size())
        .mapToObj(
            i ->
                stored
                    .get(i)
                    .thenApply(value -> value == null ? null : decrypt(chain.get(i), value)))
        .toList();
  }

  @Override
  public CompletableFuture<Void> put(BlockKey blockKey, byte[] value) {
    return store.put(blockKey, encrypt(blockKey, value));
  }

  @Override
  public CompletableFuture<Void> remove(BlockKey blockKey) {
    return store.remove(blockKey);
  }

  @Override
  public void forEach(BiConsumer<BlockKey, byte[]> visitor) {
    store.forEach(
        (blockKey, stored) -> {
          byte[] value;
          try {
            value = decrypt(blockKey, stored);
          } catch (DamagedValueException e) {
            LOG.warn("passing over {}: {}", blockKey, e.getMessage());
            return;
          }
          visitor.accept(blockKey, value);
        });
  }

  private byte[] encrypt(BlockKey blockKey, byte[] value) {
    byte[] nonce = new byte[NONCE_BYTES];
    random.nextBytes(nonce);
    byte[] encrypted = Arrays.copyOf(nonce, NONCE_BYTES + value.length + TAG_BYTES);
    try {
      cipher(Cipher.ENCRYPT_MODE, blockKey, nonce)
          .doFinal(value, 0, value.length, encrypted, NONCE_BYTES);
      return encrypted;
    } catch (GeneralSecurityException e) { // every JVM has it
      throw new IllegalStateException(e);
    }
  }

  private byte[] decrypt(BlockKey blockKey, byte[] stored) {
    if (stored.length < NONCE_BYTES + TAG_BYTES) {
      throw new DamagedValueException("a stored value is too short to be encrypted", null);
    }
    byte[] nonce = Arrays.copyOf(stored, NONCE_BYTES);
    try {
      return cipher(Cipher.DECRYPT_MODE, blockKey, nonce)
          .doFinal(stored, NONCE_BYTES, stored.length - NONCE_BYTES);
    } catch (AEADBadTagException e) {
      throw new DamagedValueException("a stored value is not what was encrypted with this key", e);
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException(e);
    }
  }

  private Cipher cipher(int mode, BlockKey blockKey, byte[] nonce) throws GeneralSecurityException {
    Cipher cipher = Cipher.getInstance("AES/GCM/NoPadding");
    cipher.init(mode, key, new GCMParameterSpec(TAG_BYTES * Byte.SIZE, nonce));
    cipher.updateAAD(blockKey.toBytes());
    return cipher;
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
