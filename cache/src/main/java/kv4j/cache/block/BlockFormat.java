package kv4j.cache.block;

import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.zip.CRC32C;

/**
 * A whole block as bytes, for stores outside the process. Little-endian; lengths in bytes:
 *
 * <pre>
 * magic "KV4J" 4, version 4
 * key 32, key of the block before 32, root of the chain 32
 * time of writing 8, in ms since 1970
 * layers 4, KV heads 4, head size 4, tokens of a block 4, position of the first token 4
 * length of the dtype's name 4, the name; length of the model's fingerprint 4, the fingerprint
 * for each token: its id 4
 * for each layer: keys, values, each in the layout's order, for i8 with the scales behind
 * CRC-32C of all before 4
 * </pre>
 *
 * <p>Whoever reads says what is expected; anything else is refused, so that a damaged, cut or
 * mistaken value is never taken for keys and values.
 */
public final class BlockFormat {
  private static final int MAGIC = 0x4A34564B; // "KV4J", read little-endian
  private static final int VERSION = 2;
  private static final int MOST_TEXT = 1024;

  private BlockFormat() {}

  /**
   * A block of a chain as bytes, rounded to the chain's stored dtype.
   *
   * @param nowMillis ms since 1970
   */
  public static byte[] write(KvBlock block, BlockChain chain, int index, long nowMillis) {
    BlockHeader header = chain.header(index, nowMillis);
    byte[] dtype = utf8(header.layout().dtype().toString());
    byte[] model = utf8(header.model());
    KvLayout layout = header.layout();
    long size =
        3L * BlockKey.BYTES
            + Long.BYTES
            + Integer.BYTES * (2L + 5 + 2 + layout.blockTokens() + 1)
            + dtype.length
            + model.length
            + layout.bytesPerBlock();
    ByteBuffer bytes = ByteBuffer.allocate(Math.toIntExact(size)).order(ByteOrder.LITTLE_ENDIAN);
    bytes.putInt(MAGIC).putInt(VERSION);
    bytes.put(header.key().toBytes()).put(header.before().toBytes()).put(header.root().toBytes());
    bytes.putLong(nowMillis);
    bytes.putInt(layout.layers()).putInt(layout.kvHeads()).putInt(layout.headDim());
    bytes.putInt(layout.blockTokens()).putInt(header.position());
    bytes.putInt(dtype.length).put(dtype).putInt(model.length).put(model);
    bytes.asIntBuffer().put(header.tokens());
    bytes.position(bytes.position() + header.tokens().length * Integer.BYTES);
    block.in(layout).writeTo(bytes);
    bytes.putInt(checksum(bytes.array(), bytes.position()));
    return bytes.array();
  }

  /**
   * Reads a block that must be one of a chain.
   *
   * @return it in the chain's layout
   * @throws IllegalArgumentException saying what is wrong with it
   */
  public static KvBlock read(byte[] value, BlockChain chain, int index) {
    ByteBuffer bytes = ByteBuffer.wrap(value).order(ByteOrder.LITTLE_ENDIAN);
    BlockHeader header = header(bytes);
    require(chain.header(index, 0).names(header), "is another than its key says");
    checkEnd(value, bytes, header);
    KvBlock block = new KvBlock(header.layout());
    block.readFrom(bytes);
    return block.in(chain.layout());
  }

  /**
   * What a value says of itself, all of it checked but for the keys and values' meaning.
   *
   * @throws IllegalArgumentException saying what is wrong with it
   */
  public static BlockHeader check(byte[] value) {
    ByteBuffer bytes = ByteBuffer.wrap(value).order(ByteOrder.LITTLE_ENDIAN);
    BlockHeader header = header(bytes);
    require(header.isConsistent(), "has a key that is not its tokens'");
    checkEnd(value, bytes, header);
    return header;
  }

  /**
   * What a value says of itself; neither its key nor its checksum is checked.
   *
   * @throws IllegalArgumentException if it is no block, of another version or cut short
   */
  public static BlockHeader header(byte[] value) {
    return header(ByteBuffer.wrap(value).order(ByteOrder.LITTLE_ENDIAN));
  }

  /** Reads a header, up to the keys and values. */
  private static BlockHeader header(ByteBuffer bytes) {
    try {
      require(bytes.getInt() == MAGIC, "is no block of kv4j's");
      int version = bytes.getInt();
      require(version == VERSION, "has version " + version + ", not " + VERSION);
      BlockKey key = key(bytes);
      BlockKey before = key(bytes);
      BlockKey root = key(bytes);
      long written = bytes.getLong();
      int layers = bytes.getInt();
      int kvHeads = bytes.getInt();
      int headDim = bytes.getInt();
      int blockTokens = bytes.getInt();
      int position = bytes.getInt();
      KvDtype dtype = KvDtype.parse(text(bytes));
      KvLayout layout = new KvLayout(layers, kvHeads, headDim, blockTokens, dtype);
      String model = text(bytes);
      require(blockTokens <= bytes.remaining() / Integer.BYTES, "is cut short");
      int[] tokens = new int[blockTokens];
      bytes.asIntBuffer().get(tokens);
      bytes.position(bytes.position() + blockTokens * Integer.BYTES);
      return new BlockHeader(key, before, root, written, layout, model, position, tokens);
    } catch (BufferUnderflowException e) {
      throw new IllegalArgumentException("a stored block is cut short", e);
    }
  }

  private static void checkEnd(byte[] value, ByteBuffer bytes, BlockHeader header) {
    long payload = header.layout().bytesPerBlock();
    require(bytes.remaining() == payload + Integer.BYTES, "has another length than it should");
    int end = value.length - Integer.BYTES;
    require(bytes.getInt(end) == checksum(value, end), "is damaged: its checksum is another");
  }

  private static int checksum(byte[] value, int length) {
    CRC32C checksum = new CRC32C();
    checksum.update(value, 0, length);
    return (int) checksum.getValue();
  }

  private static BlockKey key(ByteBuffer bytes) {
    byte[] hash = new byte[BlockKey.BYTES];
    bytes.get(hash);
    return BlockKey.of(hash);
  }

  private static String text(ByteBuffer bytes) {
    int length = bytes.getInt();
    require(length >= 0 && length <= MOST_TEXT, "is damaged: it has a text of no such length");
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
