package kv4j.apps.store;

import java.util.Optional;
import kv4j.cache.block.BlockFormat;
import kv4j.cache.block.BlockHeader;
import kv4j.cache.block.BlockKey;
import kv4j.cache.store.ValueCipher;

/**
 * Tells blocks from what is damaged.
 *
 * @param cipher for values that are encrypted; empty: they are not
 */
public record BlockCheck(Optional<ValueCipher> cipher) {
  /** A value that may well be a block, but not with the secret key that there is. */
  static final class WrongSecretException extends RuntimeException {
    private static final long serialVersionUID = 1;

    WrongSecretException(String message) {
      super(message);
    }
  }

  /**
   * What a value says of itself, once it is known to be what was put under its key.
   *
   * @throws IllegalArgumentException saying what is wrong with it
   * @throws WrongSecretException if it is encrypted otherwise than is said
   */
  BlockHeader check(BlockKey key, byte[] value) {
    BlockHeader header = BlockFormat.check(plain(key, value));
    if (!header.key().equals(key)) {
      throw new IllegalArgumentException("a stored block is under another's key");
    }
    return header;
  }

  /** The value as it was before it was encrypted, if it was. */
  byte[] plain(BlockKey key, byte[] value) {
    if (cipher.isEmpty()) {
      if (ValueCipher.isEncrypted(value)) {
        throw new WrongSecretException(
            "the blocks are encrypted, which needs --store-encrypt FILE");
      }
      return value;
    }
    if (!cipher.get().isOwn(value)) {
      throw new WrongSecretException(
          ValueCipher.isEncrypted(value)
              ? "the blocks are encrypted with another key than that of --store-encrypt"
              : "the blocks are not encrypted, so that --store-encrypt has no use");
    }
    return cipher.get().decrypt(key, value);
  }
}
