package kv4j.inference;

import java.lang.ref.Reference;
import java.lang.reflect.Field;
import java.util.Map;
import org.bytedeco.javacpp.Pointer;
import org.nd4j.linalg.api.buffer.DataBuffer;
import org.nd4j.linalg.api.memory.deallocation.DeallocatorService;
import org.nd4j.linalg.factory.Nd4j;

/** What ND4J and JavaCPP hold outside the Java heap. */
final class NativeMemory {
  private static final int MOST_COLLECTIONS = 200;

  private NativeMemory() {}

  /**
   * Bytes of all arrays that are neither closed nor garbage, their shapes included, views as if
   * they had elements of their own. ND4J's own counters stay at 0, but it has a list of all
   * buffers, to free those that nobody closes.
   */
  static long arrayBytes() {
    long bytes = 0;
    for (Object reference : references().values()) {
      if (((Reference<?>) reference).get() instanceof DataBuffer buffer && !buffer.wasClosed()) {
        bytes += buffer.length() * buffer.getElementSize();
      }
    }
    return bytes;
  }

  private static Map<?, ?> references() {
    try {
      Field map = DeallocatorService.class.getDeclaredField("referenceMap");
      map.setAccessible(true);
      return (Map<?, ?>) map.get(Nd4j.getDeallocatorService());
    } catch (ReflectiveOperationException e) {
      throw new IllegalStateException(e);
    }
  }

  /** Bytes of arrays once garbage is gone, which one collection sees to. */
  static long arrayBytesHeld() {
    System.gc();
    return arrayBytes();
  }

  /**
   * JavaCPP's pointers once garbage is gone: when there are as few as hoped, or no fewer come. It
   * counts them until a thread of its own has freed them.
   */
  static long pointersHeld(long hoped) {
    long least = Pointer.totalCount();
    int unchanged = 0;
    for (int i = 0; i < MOST_COLLECTIONS && least > hoped && unchanged < 20; i++) {
      System.gc();
      long now = Pointer.totalCount();
      unchanged = now < least ? 0 : unchanged + 1;
      least = Math.min(least, now);
    }
    return least;
  }
}
