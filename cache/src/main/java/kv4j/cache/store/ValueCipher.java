package kv4j.cache.store;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.SecureRandom;
import java.util.Arrays;
import java.util.Base64;
import java.util.HexFormat;
import javax.crypto.AEADBadTagException;
import javax.crypto.Cipher;
import javax.crypto.Mac;
import javax.crypto.SecretKey;
import javax.crypto.spec.GCMParameterSpec;
import javax.crypto.spec.SecretKeySpec;
import kv4j.cache.block.BlockKey;

/**
 * Keeps values unreadable and unforgeable for whoever has not the key: AES-256-GCM (NIST SP
 * 800-38D) with a random nonce for each, bound to the key that the value is kept under. Lengths in
 * bytes:
 *
 * <pre>
 * magic "KV4E" 4, which secret key 8, nonce 12, what is encrypted, tag 16
 * </pre>
 *
 * <p>Nonces are random, so that one secret key does for some 2^32 values. Safe for use by many
 * threads.
 */
public final class ValueCipher {
  private static final int MAGIC = 0x4B563445; // "KV4E"
  private static final int KEY_BYTES = 32;
  private static final int ID_BYTES = 8;
  private static final int NONCE_BYTES = 12;
  private static final int TAG_BYTES = 16;
  private static final int HEAD_BYTES = Integer.BYTES + ID_BYTES;
  private static final SecureRandom RANDOM = new SecureRandom();

  private final SecretKey secret;
  private final byte[] head;

  private ValueCipher(byte[] key) {
    secret = new SecretKeySpec(key, "AES");
    try {
      Mac mac = Mac.getInstance("HmacSHA256");
      mac.init(new SecretKeySpec(key, "HmacSHA256"));
      byte[] id = mac.doFinal(new byte[] {'i', 'd'});
      head = ByteBuffer.allocate(HEAD_BYTES).putInt(MAGIC).put(id, 0, ID_BYTES).array();
    } catch (GeneralSecurityException e) { // every JVM has it
      throw new IllegalStateException(e);
    }
  }

  /**
   * Reads the secret key.
   *
   * @param keyFile holds 32 bytes, as they are or as text in hexadecimal or Base64
   * @throws IllegalArgumentException with one sentence if it cannot be read, or holds anything else
   */
  public static ValueCipher ofKeyFile(Path keyFile) {
    byte[] content;
    try {
      content = Files.readAllBytes(keyFile);
    } catch (IOException e) {
      throw new IllegalArgumentException("the key file " + keyFile + " cannot be read", e);
    }
    if (content.length == KEY_BYTES) {
      return new ValueCipher(content);
    }
    String text = new String(content, StandardCharsets.ISO_8859_1).strip();
    try {
      byte[] key =
          text.length() == 2 * KEY_BYTES
              ? HexFormat.of().parseHex(text)
              : Base64.getDecoder().decode(text);
      if (key.length == KEY_BYTES) {
        return new ValueCipher(key);
      }
    } catch (IllegalArgumentException e) {
      throw notAKey(keyFile, e);
    }
    throw notAKey(keyFile, null);
  }

  private static IllegalArgumentException notAKey(Path keyFile, Exception cause) {
    return new IllegalArgumentException(
        "the key file %s must hold %d bytes, as they are or in hexadecimal or Base64"
            .formatted(keyFile, KEY_BYTES),
        cause);
  }

  /** Whether a value was encrypted, with whatever secret key. */
  public static boolean isEncrypted(byte[] value) {
    return value.length >= HEAD_BYTES && ByteBuffer.wrap(value).getInt() == MAGIC;
  }

  /** Whether a value was encrypted with this secret key. */
  public boolean isOwn(byte[] value) {
    return value.length >= HEAD_BYTES && Arrays.equals(head, 0, HEAD_BYTES, value, 0, HEAD_BYTES);
  }

  /** Encrypts a value that is kept under a key. */
  public byte[] encrypt(BlockKey key, byte[] value) {
    byte[] nonce = new byte[NONCE_BYTES];
    RANDOM.nextBytes(nonce);
    ByteBuffer out = ByteBuffer.allocate(HEAD_BYTES + NONCE_BYTES + value.length + TAG_BYTES);
    out.put(head).put(nonce);
    try {
      cipher(Cipher.ENCRYPT_MODE, nonce, key).doFinal(ByteBuffer.wrap(value), out);
      return out.array();
    } catch (GeneralSecurityException e) { // every JVM has it
      throw new IllegalStateException(e);
    }
  }

  /**
   * Decrypts a value that was kept under a key.
   *
   * @throws IllegalArgumentException if it was not encrypted with this secret key for that key, or
   *     is damaged
   */
  public byte[] decrypt(BlockKey key, byte[] value) {
    int begin = HEAD_BYTES + NONCE_BYTES;
    if (!isOwn(value)) {
      throw new IllegalArgumentException("a stored value is not encrypted with this key");
    }
    if (value.length < begin + TAG_BYTES) {
      throw new IllegalArgumentException("a stored value is cut short");
    }
    byte[] nonce = Arrays.copyOfRange(value, HEAD_BYTES, begin);
    try {
      return cipher(Cipher.DECRYPT_MODE, nonce, key).doFinal(value, begin, value.length - begin);
    } catch (AEADBadTagException e) {
      throw new IllegalArgumentException("a stored value is damaged: it cannot be decrypted", e);
    } catch (GeneralSecurityException e) { // every JVM has it
      throw new IllegalStateException(e);
    }
  }

  private Cipher cipher(int mode, byte[] nonce, BlockKey key) throws GeneralSecurityException {
    Cipher cipher = Cipher.getInstance("AES/GCM/NoPadding");
    cipher.init(mode, secret, new GCMParameterSpec(Byte.SIZE * TAG_BYTES, nonce));
    cipher.updateAAD(key.toBytes());
    return cipher;
  }
}
