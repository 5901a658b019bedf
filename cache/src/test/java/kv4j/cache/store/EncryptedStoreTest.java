package kv4j.cache.store;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.function.BiConsumer;
import javax.crypto.Cipher;
import javax.crypto.spec.GCMParameterSpec;
import javax.crypto.spec.SecretKeySpec;
import kv4j.cache.block.BlockKey;
import org.junit.jupiter.api.Test;

class EncryptedStoreTest {
  private static final SecretKeySpec SECRET = secret(7);
  private static final byte[] VALUE = "what nobody is to read".getBytes(StandardCharsets.UTF_8);
  private static final BlockKey KEY = key(1);

  private final MapStore below = new MapStore();
  private final EncryptedStore store = new EncryptedStore(below, new ValueCipher(SECRET));

  private static SecretKeySpec secret(int fill) {
    byte[] bytes = new byte[32];
    Arrays.fill(bytes, (byte) fill);
    return new SecretKeySpec(bytes, "AES");
  }

  private static BlockKey key(int fill) {
    byte[] bytes = new byte[BlockKey.BYTES];
    Arrays.fill(bytes, (byte) fill);
    return BlockKey.of(bytes);
  }

  private static final class MapStore implements BlockStore {
    final Map<BlockKey, byte[]> values = new LinkedHashMap<>();

    @Override
    public List<CompletableFuture<byte[]>> get(List<BlockKey> chain) {
      return chain.stream().map(key -> CompletableFuture.completedFuture(values.get(key))).toList();
    }

    @Override
    public CompletableFuture<Void> put(BlockKey key, byte[] value) {
      values.put(key, value);
      return CompletableFuture.completedFuture(null);
    }

    @Override
    public CompletableFuture<Void> remove(BlockKey key) {
      values.remove(key);
      return CompletableFuture.completedFuture(null);
    }

    @Override
    public void forEach(BiConsumer<BlockKey, byte[]> visitor) {
      values.forEach(visitor);
    }

    @Override
    public StoreContents contents() {
      return new StoreContents(values.size(), 0, List.of());
    }

    @Override
    public void close() {}
  }

  private byte[] get(EncryptedStore from, BlockKey key) {
    return from.get(List.of(key)).get(0).join();
  }

  @Test
  void whatIsKeptIsGivenBackAndCannotBeRead() throws Exception {
    store.put(KEY, VALUE);
    assertArrayEquals(VALUE, get(store, KEY));
    byte[] kept = below.values.get(KEY);
    assertFalse(new String(kept, StandardCharsets.ISO_8859_1).contains("nobody"));
    assertTrue(ValueCipher.isEncrypted(kept));
    // What the format says, read by hand.
    Cipher aes = Cipher.getInstance("AES/GCM/NoPadding");
    aes.init(Cipher.DECRYPT_MODE, SECRET, new GCMParameterSpec(128, kept, 12, 12));
    aes.updateAAD(KEY.toBytes());
    assertArrayEquals(VALUE, aes.doFinal(kept, 24, kept.length - 24));
    assertEquals(24 + VALUE.length + 16, kept.length);
    store.put(KEY, VALUE);
    assertNotEquals(Arrays.toString(kept), Arrays.toString(below.values.get(KEY)), "same nonce");
  }

  @Test
  void everyChangedBitIsFoundOrMakesItForeign() {
    store.put(KEY, VALUE);
    byte[] kept = below.values.get(KEY);
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
    below.put(key(2), below.values.get(KEY));
    Throwable e = assertThrows(CompletionException.class, () -> get(store, key(2)));
    assertInstanceOf(DamagedValueException.class, e.getCause());
  }

  @Test
  void whatIsEncryptedOtherwiseIsNotThere() {
    EncryptedStore other = new EncryptedStore(below, new ValueCipher(secret(8)));
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
}
