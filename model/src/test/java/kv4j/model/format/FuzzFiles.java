package kv4j.model.format;

import java.nio.charset.StandardCharsets;
import kv4j.model.format.block.TensorType;

/** Small sound files that have something of everything. */
final class FuzzFiles {
  private FuzzFiles() {}

  /** All types of metadata and of tensors. */
  static byte[] gguf() {
    TensorType[] types = TensorType.values();
    Bytes file = new Bytes().ascii("GGUF").i32(3).i64(types.length, 12);
    file.string("general.alignment").i32(4).i32(32);
    file.string("general.architecture").i32(8).string("llama");
    file.string("u8").i32(0).raw((byte) 1).string("i16").i32(3).i16(-1);
    file.string("f32").i32(6).f32(1e-5f).string("f64").i32(12).f64(0.1);
    file.string("u64").i32(10).i64(5).string("bool").i32(7).raw((byte) 1);
    file.string("tokens").i32(9, 8).i64(4).string("<s>").string("a").string("").string("bc");
    file.string("scores").i32(9, 6).i64(4).f32(0, -1, -2, -3);
    file.string("nested").i32(9, 9).i64(2).i32(5).i64(2).i32(1, 2).i32(8).i64(1).string("x");
    file.string("split.count").i32(2).i16(1);
    Bytes data = new Bytes();
    for (TensorType type : types) {
      file.string("blk.0." + type).i32(2).i64(256, 2).i32(type.id()).i64(data.array().length);
      int blocks = 2 * 256 / type.blockElements();
      data.raw(new byte[blocks * type.blockBytes()]).pad(32);
    }
    return file.pad(32).raw(data.array()).array();
  }

  static byte[] checkpoint() {
    int weights = 7 * 4 + 2 * (4 + 16 + 8 + 8 + 16 + 4 + 3 * 5 * 4) + 4 + 3 * 2;
    return new Bytes().i32(4, 5, 2, 2, 1, 7, 3).f32(new float[weights]).array();
  }

  /** Of two tensors of weights and one of other numbers. */
  static byte[] safetensorsHeader(String first, String second, String third) {
    return """
        {"__metadata__":{"format":"pt"},
         "%s":{"dtype":"F32","shape":[2,3],"data_offsets":[0,24]},
         "%s":{"dtype":"BF16","shape":[4],"data_offsets":[24,32]},
         "%s":{"dtype":"I64","shape":[1,1],"data_offsets":[32,40]}}"""
        .formatted(first, second, third)
        .getBytes(StandardCharsets.UTF_8);
  }

  static byte[] safetensorsData() {
    return new byte[40];
  }

  static byte[] safetensors(byte[] header, byte[] data) {
    return new Bytes().i64(header.length).raw(header).raw(data).array();
  }

  static byte[] index() {
    return """
        {"metadata":{"total_size":80},"weight_map":{
         "a":"one.safetensors","b":"one.safetensors","f":"two.safetensors"}}"""
        .getBytes(StandardCharsets.UTF_8);
  }

  static byte[] config() {
    return """
        {"architectures":["LlamaForCausalLM"],"hidden_size":64,"rms_norm_eps":1e-05,
         "rope_scaling":{"factor":8.0,"type":"linear"},"tie_word_embeddings":true,"x":null}"""
        .getBytes(StandardCharsets.UTF_8);
  }
}
