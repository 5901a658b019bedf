package kv4j.cache.infinispan;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.infinispan.persistence.sifs.EntryHeader;
import org.infinispan.persistence.sifs.NonBlockingSoftIndexFileStore;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The data files of a soft-index file store: records one after the other, each with a header, a
 * key, metadata and a value. Infinispan refuses to start on a file that does not parse, so each is
 * cut off where it stops being a chain of records; in a value, nothing is looked at.
 */
final class DataFiles {
  private static final Logger LOG = LoggerFactory.getLogger(DataFiles.class);
  private static final String FILES = NonBlockingSoftIndexFileStore.PREFIX_LATEST + "*";

  /** More than a header and a key of this package take. */
  private static final int HEAD = 512;

  /** Makes a key of its bytes, or throws anything if they are none. */
  interface KeyReader {
    Object read(byte[] bytes) throws Exception;
  }

  /**
   * What is kept under a key.
   *
   * @param order of writing
   * @param key as Infinispan has it
   * @param bytes of the record; 0: it says that the key is removed
   */
  record Found(long order, Object key, long bytes) {}

  private final Path folder;

  DataFiles(Path folder) {
    this.folder = folder;
  }

  /** Bytes of all files together. */
  long bytes() throws IOException {
    long sum = 0;
    try (DirectoryStream<Path> files = Files.newDirectoryStream(folder)) {
      for (Path file : files) {
        try {
          sum += Files.size(file);
        } catch (IOException e) { // compacted meanwhile
          LOG.trace("{} is gone", file);
        }
      }
    }
    return sum;
  }

  /** Cuts off what is damaged, and lists what is left, in order of writing. */
  Collection<Found> repair(KeyReader keys) throws IOException {
    List<Found> records = new ArrayList<>();
    try (DirectoryStream<Path> files = Files.newDirectoryStream(folder, FILES)) {
      for (Path file : files) {
        repair(file, keys, records);
      }
    }
    records.sort(Comparator.comparingLong(Found::order));
    Map<Object, Found> latest = new LinkedHashMap<>();
    for (Found record : records) {
      latest.remove(record.key());
      if (record.bytes() > 0) {
        latest.put(record.key(), record);
      }
    }
    return latest.values();
  }

  private static void repair(Path file, KeyReader keys, List<Found> records) throws IOException {
    try (FileChannel channel =
        FileChannel.open(file, StandardOpenOption.READ, StandardOpenOption.WRITE)) {
      long end = channel.size();
      ByteBuffer head = ByteBuffer.allocate(HEAD);
      long at = 0;
      while (at < end) {
        head.clear();
        channel.read(head, at);
        head.flip();
        long length = read(head, end - at, keys, records);
        if (length == 0) {
          LOG.warn(
              "{} is damaged or was being written to: cut off at byte {} of {}", file, at, end);
          channel.truncate(at);
          return;
        }
        at += length;
      }
    }
  }

  /**
   * Reads the record that begins with a given head.
   *
   * @return its length, or 0 if it is none
   */
  private static long read(ByteBuffer head, long available, KeyReader keys, List<Found> records) {
    try {
      EntryHeader header = new EntryHeader(head);
      long length = header.totalLength();
      if (header.metadataLength() < 0
          || header.internalMetadataLength() < 0
          || header.valueLength() < 0
          || length > available) {
        return 0;
      }
      byte[] key = new byte[header.keyLength()];
      head.get(key);
      records.add(new Found(header.seqId(), keys.read(key), header.valueLength() > 0 ? length : 0));
      return length;
    } catch (Exception e) { // no header, or no key: whatever Infinispan throws
      LOG.debug("no record", e);
      return 0;
    }
  }
}
