package kv4j.model.format;

import java.nio.ByteBuffer;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import kv4j.model.format.StoredTensors.Entry;
import kv4j.model.format.block.TensorType;

/**
 * Reads llama2.c's first checkpoint format: seven integers, then F32 tensors in an order of their
 * own. Tensors and metadata get GGUF's names. The format has no magic number: a file is taken for
 * one by its seven integers.
 */
final class Llama2cReader {
  static final String FORMAT = "llama2.c";

  private static final int HEADER_BYTES = 28;

  /** What llama2.c computes with, which its files do not say. */
  private static final float NORM_EPSILON = 1e-5f;

  private static final float ROPE_THETA = 10000;

  private final StoredFile file;
  private final Header header;
  private final Map<String, Entry> entries = new LinkedHashMap<>();
  private long at = HEADER_BYTES;

  private Llama2cReader(StoredFile file, Header header) {
    this.file = file;
    this.header = header;
  }

  /**
   * The integers at the start.
   *
   * @param signedVocabulary negative if the output weights are stored, not those of the embedding
   */
  private record Header(
      int dim, int ffnDim, int layers, int heads, int kvHeads, int signedVocabulary, int context) {
    static Header read(StoredFile file) {
      ByteBuffer in = file.copy(0, HEADER_BYTES);
      return new Header(
          in.getInt(),
          in.getInt(),
          in.getInt(),
          in.getInt(),
          in.getInt(),
          in.getInt(),
          in.getInt());
    }

    boolean plausible() {
      return within(dim, 1 << 16)
          && within(ffnDim, 1 << 18)
          && within(layers, 1 << 10)
          && within(heads, dim)
          && within(kvHeads, heads)
          && within(vocabulary(), 1 << 22)
          && within(context, 1 << 22)
          && dim % heads == 0
          && headDim() % 2 == 0
          && heads % kvHeads == 0;
    }

    private static boolean within(int value, int most) {
      return value > 0 && value <= most;
    }

    int vocabulary() {
      return Math.abs(signedVocabulary);
    }

    boolean tied() {
      return signedVocabulary > 0;
    }

    int headDim() {
      return dim / heads;
    }

    /** Size of the whole file; far from overflow where plausible. */
    long fileBytes() {
      long kvDim = (long) kvHeads * headDim();
      long attention = 2L * dim * dim + 2 * dim * kvDim;
      long layer = attention + 3L * dim * ffnDim + 2L * dim;
      long embeddings = (long) vocabulary() * dim * (tied() ? 1 : 2);
      long rotary = (long) context * headDim();
      return HEADER_BYTES + Float.BYTES * (embeddings + layers * layer + dim + rotary);
    }
  }

  /** Whether a file begins with numbers that can be a model's. */
  static boolean recognizes(StoredFile file) {
    return file.size() >= HEADER_BYTES && Header.read(file).plausible();
  }

  /**
   * @throws ModelFileException if the file has not exactly the size that its header asks for
   */
  static TensorSource read(StoredFile file) {
    Header header = Header.read(file);
    if (file.size() != header.fileBytes()) {
      throw file.wrong(
          "begins as a llama2.c checkpoint of "
              + header.fileBytes()
              + " bytes, but has "
              + file.size()
              + " bytes");
    }
    return new Llama2cReader(file, header).read();
  }

  private TensorSource read() {
    int dim = header.dim();
    int kvDim = header.kvHeads() * header.headDim();
    add("token_embd.weight", header.vocabulary(), dim);
    addToLayers("attn_norm.weight", dim);
    addToLayers("attn_q.weight", dim, dim);
    addToLayers("attn_k.weight", kvDim, dim);
    addToLayers("attn_v.weight", kvDim, dim);
    addToLayers("attn_output.weight", dim, dim);
    addToLayers("ffn_norm.weight", dim);
    addToLayers("ffn_gate.weight", header.ffnDim(), dim);
    addToLayers("ffn_down.weight", dim, header.ffnDim());
    addToLayers("ffn_up.weight", header.ffnDim(), dim);
    add("output_norm.weight", dim);
    // Tables of rotary cosines and sines, which follow from the rest.
    at += (long) Float.BYTES * header.context() * header.headDim();
    if (!header.tied()) {
      add("output.weight", header.vocabulary(), dim);
    }
    return new StoredTensors(FORMAT, file.path().toString(), metadata(), entries, List.of(file));
  }

  private void addToLayers(String name, long... shape) {
    for (int layer = 0; layer < header.layers(); layer++) {
      add("blk." + layer + "." + name, shape);
    }
  }

  private void add(String name, long... shape) {
    Entry entry = Entry.checked(file, name, TensorType.F32, shape, at);
    entries.put(name, entry);
    at += entry.bytes();
  }

  private Map<String, Object> metadata() {
    Map<String, Object> metadata = new LinkedHashMap<>();
    metadata.put("general.architecture", "llama");
    metadata.put("llama.context_length", (long) header.context());
    metadata.put("llama.embedding_length", (long) header.dim());
    metadata.put("llama.block_count", (long) header.layers());
    metadata.put("llama.feed_forward_length", (long) header.ffnDim());
    metadata.put("llama.attention.head_count", (long) header.heads());
    metadata.put("llama.attention.head_count_kv", (long) header.kvHeads());
    metadata.put("llama.attention.layer_norm_rms_epsilon", NORM_EPSILON);
    metadata.put("llama.rope.dimension_count", (long) header.headDim());
    metadata.put("llama.rope.freq_base", ROPE_THETA);
    metadata.put("llama.vocab_size", (long) header.vocabulary());
    return metadata;
  }
}
