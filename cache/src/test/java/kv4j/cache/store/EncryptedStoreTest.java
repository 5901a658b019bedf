package kv4j.cache.store;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Base64;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.concurrent.CompletionException;
import java.util.stream.Stream;
import javax.crypto.Cipher;
import javax.crypto.spec.GCMParameterSpec;
import javax.crypto.spec.SecretKeySpec;
import kv4j.cache.block.BlockKey;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class EncryptedStoreTest {
  private static final byte[] SECRET = secret(7);
  private static final byte[] VALUE = "what nobody is to read".getBytes(StandardCharsets.UTF_8);
  private static final BlockKey KEY = key(1);

  @TempDir private Path folder;
  private final MemoryStore below = new MemoryStore();
  private EncryptedStore store;

  @BeforeEach
  void open() throws IOException {
    store = encrypted(SECRET);
  }

  private EncryptedStore encrypted(byte[] secret) throws IOException {
    return EncryptedStore.of(below, Files.write(folder.resolve("key"), secret));
  }

  private static byte[] secret(int fill) {
    byte[] bytes = new byte[32];
    Arrays.fill(bytes, (byte) fill);
    return bytes;
  }

  private byte[] kept() {
    return get(below, KEY);
  }

  private static BlockKey key(int fill) {
    byte[] bytes = new byte[BlockKey.BYTES];
    Arrays.fill(bytes, (byte) fill);
    return BlockKey.of(bytes);
  }

  private static byte[] get(BlockStore from, BlockKey key) {
    return from.get(List.of(key)).get(0).join();
  }

  @Test
  void whatIsKeptIsGivenBackAndCannotBeRead() throws Exception {
    store.put(KEY, VALUE);
    assertArrayEquals(VALUE, get(store, KEY));
    byte[] kept = kept();
    assertFalse(new String(kept, StandardCharsets.ISO_8859_1).contains("nobody"));
    assertTrue(ValueCipher.isEncrypted(kept));
    // What the format says, read by hand.
    Cipher aes = Cipher.getInstance("AES/GCM/NoPadding");
    aes.init(
        Cipher.DECRYPT_MODE,
        new SecretKeySpec(SECRET, "AES"),
        new GCMParameterSpec(128, kept, 12, 12));
    aes.updateAAD(KEY.toBytes());
    assertArrayEquals(VALUE, aes.doFinal(kept, 24, kept.length - 24));
    assertEquals(24 + VALUE.length + 16, kept.length);
    store.put(KEY, VALUE);
    assertNotEquals(Arrays.toString(kept), Arrays.toString(kept()), "same nonce");
  }

  @Test
  void everyChangedBitIsFoundOrMakesItForeign() {
    store.put(KEY, VALUE);
    byte[] kept = kept();
    for (int bit = 0; bit < 8 * kept.length; bit++) {
      byte[] damaged = kept.clone();
      damaged[bit / 8] ^= (byte) (1 << bit % 8);
      below.put(KEY, damaged);
      if (bit < 8 * 12) {
        assertNull(get(store, KEY), "as with another secret key");
      } else {
        Throwable e = assertThrows(CompletionException.class, () -> get(store, KEY));
        assertInstanceOf(DamagedValueException.class, e.getCause());
      }
    }
    below.put(KEY, Arrays.copyOf(kept, 30));
    assertThrows(CompletionException.class, () -> get(store, KEY));
  }

  @Test
  void aValueUnderAnothersKeyIsDamaged() {
    store.put(KEY, VALUE);
    below.put(key(2), kept());
    Throwable e = assertThrows(CompletionException.class, () -> get(store, key(2)));
    assertInstanceOf(DamagedValueException.class, e.getCause());
  }

  @Test
  void whatIsEncryptedOtherwiseIsNotThere() throws IOException {
    EncryptedStore other = encrypted(secret(8));
    store.put(KEY, VALUE);
    other.put(key(2), VALUE);
    below.put(key(3), VALUE);
    assertNull(get(other, KEY));
    assertNull(get(store, key(2)));
    assertNull(get(store, key(3)));
    assertNull(get(store, key(4)));
    Set<BlockKey> visited = new HashSet<>();
    store.forEach((key, value) -> visited.add(key));
    assertEquals(Set.of(KEY), visited);
  }

  @Test
  void keysAreReadAsBytesHexadecimalOrBase64() throws IOException {
    store.put(KEY, VALUE);
    String hex = HexFormat.of().formatHex(SECRET);
    for (String text :
        List.of(
            hex + "\n", hex.toUpperCase(Locale.ROOT), Base64.getEncoder().encodeToString(SECRET))) {
      assertArrayEquals(VALUE, get(encrypted(text.getBytes(StandardCharsets.US_ASCII)), KEY));
    }
    for (byte[] wrong :
        new byte[][] {
          {}, new byte[31], VALUE, hex.substring(1).getBytes(StandardCharsets.US_ASCII)
        }) {
      String message =
          assertThrows(IllegalArgumentException.class, () -> encrypted(wrong)).getMessage();
      assertTrue(message.endsWith(" must hold 32 bytes, as they are or in hexadecimal or Base64"));
    }
    String message =
        assertThrows(
                IllegalArgumentException.class,
                () -> EncryptedStore.of(below, folder.resolve("none")))
            .getMessage();
    assertTrue(message.endsWith("none cannot be read"), message);
  }

  @Test
  void nothingOfAValueIsInTheFilesOnDisk() throws IOException {
    byte[] value = "what nobody is to read".repeat(5000).getBytes(StandardCharsets.UTF_8);
    for (boolean encrypt : new boolean[] {false, true}) {
      Path files = folder.resolve("encrypt-" + encrypt);
      BlockStore disk =
          BlockStores.open("disk", StoreOptions.of(files.toString()), getClass().getClassLoader());
      disk.ready().join();
      Path keyFile = Files.write(folder.resolve("key"), SECRET);
      try (BlockStore kept = encrypt ? EncryptedStore.of(disk, keyFile) : disk) {
        kept.put(KEY, value).join();
        assertArrayEquals(value, get(kept, KEY));
      }
      assertEquals(!encrypt, anyFileHas(files, "nobody"), "found where it is not encrypted");
    }
  }

  private static boolean anyFileHas(Path folder, String text) throws IOException {
    try (Stream<Path> files = Files.walk(folder)) {
      for (Path file : files.filter(Files::isRegularFile).toList()) {
        if (Files.readString(file, StandardCharsets.ISO_8859_1).contains(text)) {
          return true;
        }
      }
      return false;
    }
  }
}
