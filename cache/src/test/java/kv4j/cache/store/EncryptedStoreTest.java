package kv4j.cache.store;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.HexFormat;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletionException;
import java.util.stream.Stream;
import javax.crypto.Cipher;
import javax.crypto.spec.GCMParameterSpec;
import javax.crypto.spec.SecretKeySpec;
import kv4j.cache.block.BlockKey;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class EncryptedStoreTest {
  private static final BlockKey FIRST = BlockKey.of(random(1));
  private static final BlockKey SECOND = BlockKey.of(random(2));
  private static final byte[] SECRET = random(3);
  private static final String TEXT = "what nobody is to read";

  private final MemoryStore memory = new MemoryStore();

  @TempDir Path folder;

  @Test
  void theFormIsTheOneThatIsDocumented() throws Exception {
    encrypted(SECRET).put(FIRST, bytes(TEXT)).join();
    byte[] stored = stored(memory, FIRST);
    Cipher cipher = Cipher.getInstance("AES/GCM/NoPadding");
    cipher.init(
        Cipher.DECRYPT_MODE,
        new SecretKeySpec(SECRET, "AES"),
        new GCMParameterSpec(128, stored, 0, 12));
    cipher.updateAAD(FIRST.toBytes());
    assertEquals(TEXT, new String(cipher.doFinal(stored, 12, stored.length - 12)));
  }

  @Test
  void equalValuesAreStoredDifferently() throws IOException {
    BlockStore store = encrypted(SECRET);
    store.put(FIRST, bytes(TEXT)).join();
    byte[] before = stored(memory, FIRST);
    store.put(FIRST, bytes(TEXT)).join();
    assertFalse(Arrays.equals(before, stored(memory, FIRST)));
  }

  @Test
  void whatIsNotWhatWasEncryptedIsDamaged() throws IOException {
    BlockStore store = encrypted(SECRET);
    store.put(FIRST, bytes(TEXT)).join();
    byte[] whole = stored(memory, FIRST);
    for (int bit = 0; bit < whole.length * Byte.SIZE; bit++) {
      byte[] flipped = whole.clone();
      flipped[bit / Byte.SIZE] ^= (byte) (1 << bit % Byte.SIZE);
      memory.put(FIRST, flipped);
      assertDamaged(store, FIRST);
    }
    for (int length = 0; length < whole.length; length++) {
      memory.put(FIRST, Arrays.copyOf(whole, length));
      assertDamaged(store, FIRST);
    }
    memory.put(SECOND, whole);
    assertDamaged(store, SECOND);
    memory.put(FIRST, whole);
    assertDamaged(encrypted(random(4)), FIRST);
    assertArrayEquals(bytes(TEXT), store.get(List.of(FIRST)).get(0).join());
    List<BlockKey> visited = new ArrayList<>();
    store.forEach((key, value) -> visited.add(key));
    assertEquals(List.of(FIRST), visited, "the other is passed over");
  }

  @Test
  void nothingOfAValueIsInTheFilesOnDisk() throws IOException {
    byte[] value = bytes(TEXT.repeat(5000));
    for (boolean encrypt : new boolean[] {false, true}) {
      Path files = folder.resolve("encrypt-" + encrypt);
      BlockStore disk =
          BlockStores.open("disk", StoreOptions.of(files.toString()), getClass().getClassLoader());
      disk.ready().join();
      try (BlockStore store = encrypt ? EncryptedStore.of(disk, keyFile(SECRET)) : disk) {
        store.put(FIRST, value).join();
        assertArrayEquals(value, store.get(List.of(FIRST)).get(0).join());
      }
      assertEquals(!encrypt, anyFileHas(files, TEXT), "found where it is not encrypted");
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

  @Test
  void theKeyIsReadAsBytesHexadecimalOrBase64() throws IOException {
    encrypted(SECRET).put(FIRST, bytes(TEXT)).join();
    for (String text :
        List.of(
            HexFormat.of().formatHex(SECRET) + "\n",
            HexFormat.of().withUpperCase().formatHex(SECRET),
            Base64.getEncoder().encodeToString(SECRET) + "\r\n")) {
      assertArrayEquals(
          bytes(TEXT), encrypted(bytes(text)).get(List.of(FIRST)).get(0).join(), text);
    }
    for (String text : List.of("", "short", "zz".repeat(32), "ab".repeat(33))) {
      String message =
          assertThrows(IllegalArgumentException.class, () -> encrypted(bytes(text))).getMessage();
      assertTrue(message.endsWith("must hold 32 bytes, as they are or in hexadecimal or Base64"));
    }
    String message =
        assertThrows(
                IllegalArgumentException.class,
                () -> EncryptedStore.of(memory, folder.resolve("none")))
            .getMessage();
    assertTrue(message.contains("none cannot be read"), message);
  }

  private BlockStore encrypted(byte[] keyFile) throws IOException {
    return EncryptedStore.of(memory, keyFile(keyFile));
  }

  private Path keyFile(byte[] content) throws IOException {
    return Files.write(folder.resolve("key"), content);
  }

  private static void assertDamaged(BlockStore store, BlockKey key) {
    CompletionException failure =
        assertThrows(CompletionException.class, store.get(List.of(key)).get(0)::join);
    assertInstanceOf(DamagedValueException.class, failure.getCause());
  }

  private static byte[] stored(BlockStore store, BlockKey key) {
    return store.get(List.of(key)).get(0).join();
  }

  private static byte[] bytes(String text) {
    return text.getBytes(StandardCharsets.ISO_8859_1);
  }

  private static byte[] random(int seed) {
    byte[] bytes = new byte[32];
    new Random(seed).nextBytes(bytes);
    return bytes;
  }
}
