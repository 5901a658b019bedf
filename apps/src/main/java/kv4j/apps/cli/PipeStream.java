package kv4j.apps.cli;

import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.OutputStream;

/**
 * Standard output. When its reader is gone, the program ends, as command-line programs do: nobody
 * would see what it goes on to compute.
 */
final class PipeStream extends OutputStream {
  /** As a shell says of a process that a broken pipe has ended. */
  private static final int BROKEN_PIPE = 128 + 13;

  private final OutputStream out = new FileOutputStream(FileDescriptor.out);

  @Override
  public void write(int b) throws IOException {
    write(new byte[] {(byte) b}, 0, 1);
  }

  @Override
  public void write(byte[] bytes, int from, int length) throws IOException {
    try {
      out.write(bytes, from, length);
    } catch (IOException e) {
      if (String.valueOf(e.getMessage()).contains("pipe")) {
        System.exit(BROKEN_PIPE);
      }
      throw e;
    }
  }
}
