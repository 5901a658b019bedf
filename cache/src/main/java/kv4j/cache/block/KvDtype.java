package kv4j.cache.block;

/** How many bits a cache keeps of each key and value. */
public enum KvDtype {
  /** 32-bit floats, exact. */
  F32(4);

  private final int bytesPerElement;

  KvDtype(int bytesPerElement) {
    this.bytesPerElement = bytesPerElement;
  }

  /** Bytes one key or value element takes, without scales. */
  public int bytesPerElement() {
    return bytesPerElement;
  }
}
