package kv4j.model.format;

import static kv4j.model.format.ModelFileException.printable;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.core.json.JsonReadFeature;
import java.io.IOException;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import kv4j.model.format.StoredTensors.Entry;
import kv4j.model.format.block.TensorType;

/**
 * Reads the header of one safetensors file: its length (8 bytes), a JSON object with each tensor's
 * type, shape and range of bytes, then the data.
 */
final class SafetensorsReader {
  /**
   * Takes a field given twice for an error, and keeps no table of names, which hostile ones could
   * make slow. NaN and infinities are numbers, as Python writes them: it is for those who use a
   * number to refuse it.
   */
  static final JsonFactory JSON =
      JsonFactory.builder()
          .disable(JsonFactory.Feature.CANONICALIZE_FIELD_NAMES)
          .disable(JsonFactory.Feature.INTERN_FIELD_NAMES)
          .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
          .enable(JsonReadFeature.ALLOW_NON_NUMERIC_NUMBERS)
          .build();

  /** The format's own limit. */
  private static final long MAX_HEADER = 100_000_000;

  private static final int LENGTH_BYTES = 8;
  private static final String METADATA = "__metadata__";

  private final StoredFile file;
  private final long dataStart;
  private final Map<String, Entry> entries = new LinkedHashMap<>();

  private SafetensorsReader(StoredFile file, long headerLength) {
    this.file = file;
    dataStart = LENGTH_BYTES + headerLength;
  }

  /** Whether a file begins as safetensors do. */
  static boolean recognizes(StoredFile file) {
    if (file.size() <= LENGTH_BYTES) {
      return false;
    }
    long length = headerLength(file);
    return length > 0 && length <= MAX_HEADER && file.copy(LENGTH_BYTES, 1).get() == '{';
  }

  private static long headerLength(StoredFile file) {
    return file.copy(0, LENGTH_BYTES).getLong();
  }

  /**
   * The file's tensors by name.
   *
   * @throws ModelFileException if the file is not sound
   */
  static Map<String, Entry> entries(StoredFile file) {
    if (!recognizes(file)) {
      throw file.wrong("is not a safetensors file");
    }
    long length = headerLength(file);
    if (length > file.size() - LENGTH_BYTES) {
      throw file.wrong(
          "has a header of " + length + " bytes, more than the file's " + file.size() + " bytes");
    }
    SafetensorsReader reader = new SafetensorsReader(file, length);
    reader.readHeader(file.copy(LENGTH_BYTES, (int) length).array());
    StoredTensors.requireDisjoint(file, reader.entries);
    return reader.entries;
  }

  private void readHeader(byte[] header) {
    try (JsonParser json = JSON.createParser(header)) {
      json.nextToken();
      while (json.nextToken() == JsonToken.FIELD_NAME) {
        String name = json.currentName();
        json.nextToken();
        if (name.equals(METADATA)) {
          json.skipChildren();
        } else {
          entries.put(name, entry(name, json));
        }
      }
      if (json.currentToken() != JsonToken.END_OBJECT || json.nextToken() != null) {
        throw file.wrong("has a header that is not one JSON object");
      }
    } catch (IOException e) {
      throw new ModelFileException(
          file.path().toString(), "has a header that is not valid JSON (" + reason(e) + ")", e);
    }
  }

  private Entry entry(String name, JsonParser json) throws IOException {
    String dtype = null;
    long[] shape = null;
    long[] range = null;
    String tensor = "tensor " + printable(name);
    if (json.currentToken() != JsonToken.START_OBJECT) {
      throw file.wrong(tensor + " is not described by a JSON object");
    }
    while (json.nextToken() == JsonToken.FIELD_NAME) {
      String field = json.currentName();
      json.nextToken();
      switch (field) {
        case "dtype" -> {
          if (json.currentToken() != JsonToken.VALUE_STRING) {
            throw file.wrong(tensor + " has a dtype that is not a string");
          }
          dtype = json.getText();
        }
        case "shape" -> shape = sizes(tensor + " has a shape", StoredTensors.MAX_RANK, json);
        case "data_offsets" -> range = sizes(tensor + " has data_offsets", 2, json);
        default -> json.skipChildren();
      }
    }
    if (dtype == null || shape == null || range == null || range.length != 2) {
      throw file.wrong(tensor + " lacks its dtype, shape or data_offsets");
    }
    return entry(name, dtype, shape, range[0], range[1]);
  }

  private long[] sizes(String what, int most, JsonParser json) throws IOException {
    long[] sizes = new long[most];
    int count = 0;
    if (json.currentToken() != JsonToken.START_ARRAY) {
      throw file.wrong(what + " that is not a list");
    }
    while (json.nextToken() != JsonToken.END_ARRAY) {
      if (count == most) {
        throw file.wrong(what + " of more than " + most + " numbers");
      }
      boolean whole = json.currentToken() == JsonToken.VALUE_NUMBER_INT;
      long size =
          whole && !json.getNumberType().equals(JsonParser.NumberType.BIG_INTEGER)
              ? json.getLongValue()
              : -1;
      if (size < 0) {
        throw file.wrong(what + " with " + printable(json.getText()) + " in it");
      }
      sizes[count++] = size;
    }
    return Arrays.copyOf(sizes, count);
  }

  private Entry entry(String name, String dtype, long[] shape, long begin, long end) {
    String tensor = "tensor " + printable(name);
    long data = file.size() - dataStart;
    if (begin > end || end > data) {
      throw file.wrong(
          tensor
              + " has the data_offsets "
              + begin
              + " to "
              + end
              + ", not within the file's "
              + data
              + " bytes of data");
    }
    TensorType type =
        switch (dtype) {
          case "F32" -> TensorType.F32;
          case "F16" -> TensorType.F16;
          case "BF16" -> TensorType.BF16;
          // Not weights, as a rule: refused only when read.
          default -> null;
        };
    if (type == null) {
      return new Entry(file, null, printable(dtype), shape, dataStart + begin, end - begin);
    }
    Entry entry = Entry.checked(file, name, type, shape, dataStart + begin);
    if (entry.bytes() != end - begin) {
      throw file.wrong(
          tensor + " takes " + entry.bytes() + " bytes, but has " + (end - begin) + " in the file");
    }
    return entry;
  }

  /** What is wrong with JSON, in one line. */
  static String reason(IOException notJson) {
    return printable(
        notJson instanceof JsonProcessingException json
            ? json.getOriginalMessage()
            : String.valueOf(notJson.getMessage()));
  }
}
