package kv4j.cache.infinispan;

import io.reactivex.rxjava3.core.Flowable;
import java.io.IOException;
import java.nio.file.FileStore;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import kv4j.cache.block.BlockKey;
import org.infinispan.commons.marshall.WrappedByteArray;
import org.infinispan.commons.util.IntSet;
import org.infinispan.marshall.persistence.PersistenceMarshaller;
import org.infinispan.persistence.sifs.NonBlockingSoftIndexFileStore;
import org.infinispan.persistence.spi.InitializationContext;
import org.infinispan.persistence.spi.MarshallableEntry;
import org.infinispan.persistence.spi.PersistenceException;
import org.reactivestreams.Publisher;

/**
 * Infinispan's soft-index file store with a limit to the bytes that its files take. What has not
 * been used for longest makes room. Removed values take room until their file is compacted, so that
 * values get {@link #FILLED} of the limit; should the files grow up to it all the same, nothing is
 * written until they have shrunk.
 *
 * @param <K> keys
 * @param <V> values
 */
public final class BoundedFileStore<K, V> extends NonBlockingSoftIndexFileStore<K, V> {
  /** The part of a file that may be free before the file is compacted. */
  static final double COMPACTED_FROM = 0.3;

  /** The part of the limit that values may take. */
  static final double FILLED = 0.65;

  /** Free bytes of the disk that are left to others. */
  private static final long DISK_RESERVE = 16L << 20;

  private final Ledger ledger = new Ledger();

  private DataFiles files;
  private FileStore disk;
  private long maxBytes;
  private long batchBytes;

  /** A record was written in part, so that Infinispan no longer knows where in the file it is. */
  private volatile boolean torn;

  /** How much the files may grow before they are measured again; guarded by this. */
  private long growth;

  @Override
  public CompletionStage<Void> start(InitializationContext context) {
    FileStoreConfiguration configuration = context.getConfiguration();
    Path folder = Path.of(configuration.dataLocation(), context.getCache().getName(), "data");
    files = new DataFiles(folder);
    maxBytes = configuration.maxBytes();
    batchBytes = 2L * configuration.maxFileSize();
    return context
        .getBlockingManager()
        .runBlocking(() -> readFiles(folder, context), "kv4j-read-files")
        .thenCompose(read -> super.start(context));
  }

  private void readFiles(Path folder, InitializationContext context) {
    try {
      Files.createDirectories(folder);
      disk = Files.getFileStore(folder);
      for (DataFiles.Found found :
          files.repair(bytes -> key(context.getPersistenceMarshaller(), bytes))) {
        int segment = context.getKeyPartitioner().getSegment(found.key());
        ledger.add(new Ledger.Holding(found.key(), segment, found.bytes()));
      }
    } catch (IOException e) {
      throw new PersistenceException(e);
    }
  }

  private static Object key(PersistenceMarshaller marshaller, byte[] bytes) throws Exception {
    if (marshaller.objectFromByteBuffer(bytes) instanceof WrappedByteArray key
        && key.getLength() == BlockKey.BYTES) {
      return key;
    }
    throw new IOException("no key of a block");
  }

  @Override
  public CompletionStage<Void> write(
      int segment, MarshallableEntry<? extends K, ? extends V> entry) {
    long bytes = entry.getKeyBytes().getLength() + entry.getValueBytes().getLength();
    try {
      requireRoom(bytes);
    } catch (IOException e) {
      return CompletableFuture.failedFuture(new PersistenceException(e));
    }
    ledger.add(new Ledger.Holding(entry.getKey(), segment, bytes));
    CompletionStage<Void> written =
        super.write(segment, entry).whenComplete((done, error) -> noteFailure(entry, error));
    long most = (long) (maxBytes * FILLED);
    if (ledger.bytes() > most) {
      for (Ledger.Holding oldest : ledger.takeOldest(most - batchBytes)) {
        super.delete(oldest.segment(), oldest.key());
      }
    }
    return written;
  }

  private void noteFailure(MarshallableEntry<?, ?> entry, Throwable error) {
    if (error != null) {
      torn = true;
      ledger.remove(entry.getKey());
    }
  }

  private synchronized void requireRoom(long bytes) throws IOException {
    if (torn) {
      throw new IOException("writing failed before; the store must be opened anew");
    }
    if (disk.getUsableSpace() < bytes + DISK_RESERVE) {
      throw new IOException("no room is left on the disk");
    }
    if (growth < bytes) {
      // The compactor writes up to a file's bytes before it deletes what it copied from.
      growth = maxBytes - batchBytes - files.bytes();
      if (growth < bytes) {
        throw new IOException("the store's files have reached their limit and are being compacted");
      }
    }
    growth -= bytes;
  }

  @Override
  public CompletionStage<MarshallableEntry<K, V>> load(int segment, Object key) {
    ledger.touch(key);
    return super.load(segment, key);
  }

  @Override
  public CompletionStage<Boolean> delete(int segment, Object key) {
    ledger.remove(key);
    return super.delete(segment, key);
  }

  @Override
  public CompletionStage<Void> removeSegments(IntSet segments) {
    ledger.removeSegments(segments::contains);
    return super.removeSegments(segments);
  }

  @Override
  public CompletionStage<Void> clear() {
    ledger.removeSegments(segment -> true);
    return super.clear();
  }

  @Override
  public Publisher<MarshallableEntry<K, V>> purgeExpired() {
    return Flowable.fromPublisher(super.purgeExpired())
        .doOnNext(expired -> ledger.remove(expired.getKey()));
  }

  /** What is kept, by what is used. */
  Ledger ledger() {
    return ledger;
  }
}
