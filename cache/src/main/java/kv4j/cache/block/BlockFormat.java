package kv4j.cache.block;

import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.zip.CRC32C;

/**
 * A block as bytes, for stores outside the process. Little-endian; lengths in bytes:
 *
 * <pre>
 * magic "KV4J" 4, version 4, key 32
 * layers 4, KV heads 4, head size 4, tokens of a block 4, tokens that it holds 4
 * length of the dtype's name 4, the name; length of the model's fingerprint 4, the fingerprint
 * for each layer: keys, values, each in the layout's order, for i8 with the scales behind
 * CRC-32C of all before 4
 * </pre>
 *
 * <p>Whoever reads says what is expected; anything else is refused, so that a damaged, cut or
 * mistaken entry is never taken for keys and values.
 */
public final class BlockFormat {
  private static final int MAGIC = 0x4A34564B; // "KV4J", read little-endian
  private static final int VERSION = 1;
  private static final int NUMBERS = 2 + 5 + 2 + 1; // with the lengths and the checksum

  /**
   * A block that was read.
   *
   * @param tokens how many it holds
   */
  public record Stored(KvBlock block, int tokens) {}

  private BlockFormat() {}

  /** Bytes that a block takes. */
  public static int bytes(KvLayout layout, String model) {
    long bytes =
        (long) NUMBERS * Integer.BYTES
            + BlockKey.BYTES
            + utf8(layout.dtype().toString()).length
            + utf8(model).length
            + layout.bytesPerBlock();
    return Math.toIntExact(bytes);
  }

  /**
   * Writes a block, {@link #bytes} of them, at a buffer's position.
   *
   * @param tokens how many it holds
   * @param model fingerprint of the model that computed it
   * @param key of these tokens
   * @throws java.nio.BufferOverflowException if there is less room
   */
  public static void write(KvBlock block, int tokens, String model, BlockKey key, ByteBuffer out) {
    ByteBuffer bytes = out.duplicate().order(ByteOrder.LITTLE_ENDIAN);
    int begin = bytes.position();
    KvLayout layout = block.layout();
    bytes.putInt(MAGIC).putInt(VERSION).put(key.toBytes());
    bytes.putInt(layout.layers()).putInt(layout.kvHeads()).putInt(layout.headDim());
    bytes.putInt(layout.blockTokens()).putInt(tokens);
    putText(bytes, layout.dtype().toString());
    putText(bytes, model);
    block.writeTo(bytes);
    bytes.putInt(checksum(bytes, begin));
    out.position(bytes.position());
  }

  /**
   * Reads a block at a buffer's position.
   *
   * @param layout that it must have
   * @param model fingerprint of the model that must have computed it
   * @param key that it must have
   * @throws IllegalArgumentException saying what is wrong with it; the position is as before then
   */
  public static Stored read(ByteBuffer in, KvLayout layout, String model, BlockKey key) {
    ByteBuffer bytes = in.duplicate().order(ByteOrder.LITTLE_ENDIAN);
    int begin = bytes.position();
    try {
      require(bytes.getInt() == MAGIC, "is no block of kv4j's");
      int version = bytes.getInt();
      require(version == VERSION, "has version " + version + ", not " + VERSION);
      byte[] hash = new byte[BlockKey.BYTES];
      bytes.get(hash);
      int layers = bytes.getInt();
      int kvHeads = bytes.getInt();
      int headDim = bytes.getInt();
      int blockTokens = bytes.getInt();
      int tokens = bytes.getInt();
      KvDtype dtype = KvDtype.parse(getText(bytes));
      KvLayout stored = new KvLayout(layers, kvHeads, headDim, blockTokens, dtype);
      require(stored.equals(layout), "has the layout " + stored + ", not " + layout);
      String fingerprint = getText(bytes);
      require(fingerprint.equals(model), "is of model " + fingerprint + ", not " + model);
      require(Arrays.equals(hash, key.toBytes()), "has another key");
      require(tokens > 0 && tokens <= layout.blockTokens(), "holds " + tokens + " tokens");
      KvBlock block = new KvBlock(layout);
      block.readFrom(bytes);
      int checksum = checksum(bytes, begin);
      require(bytes.getInt() == checksum, "is damaged: its checksum is another");
      in.position(bytes.position());
      return new Stored(block, tokens);
    } catch (BufferUnderflowException e) {
      throw new IllegalArgumentException("a stored block is cut short", e);
    }
  }

  /** Of what lies between a position and the current one. */
  private static int checksum(ByteBuffer bytes, int from) {
    CRC32C checksum = new CRC32C();
    checksum.update(bytes.duplicate().position(from).limit(bytes.position()));
    return (int) checksum.getValue();
  }

  private static void putText(ByteBuffer bytes, String text) {
    byte[] utf8 = utf8(text);
    bytes.putInt(utf8.length).put(utf8);
  }

  private static String getText(ByteBuffer bytes) {
    int length = bytes.getInt();
    if (length < 0 || length > bytes.remaining()) {
      throw new BufferUnderflowException();
    }
    byte[] utf8 = new byte[length];
    bytes.get(utf8);
    return new String(utf8, StandardCharsets.UTF_8);
  }

  private static byte[] utf8(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }

  private static void require(boolean condition, String problem) {
    if (!condition) {
      throw new IllegalArgumentException("a stored block " + problem);
    }
  }
}
