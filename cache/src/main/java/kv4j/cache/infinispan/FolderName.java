package kv4j.cache.infinispan;

import java.io.IOException;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.UUID;

/** What a cluster calls the folder that one of its processes keeps its share in. */
final class FolderName {
  private static final String FILE = "folder.id";

  private FolderName() {}

  static String hostName() {
    try {
      return InetAddress.getLocalHost().getHostName();
    } catch (UnknownHostException e) {
      return "localhost";
    }
  }

  /**
   * The name of a folder, always the same. A copy of it, elsewhere or on another host, has a name
   * of its own.
   */
  static UUID of(Path folder) throws IOException {
    String name = String.join("\n", id(folder.resolve(FILE)), hostName(), folder.toString());
    return UUID.nameUUIDFromBytes(name.getBytes(StandardCharsets.UTF_8));
  }

  /** What a file says, which is made if there is none. */
  private static String id(Path file) throws IOException {
    try {
      return Files.readString(file);
    } catch (NoSuchFileException e) {
      String id = UUID.randomUUID().toString();
      Files.writeString(file, id);
      return id;
    }
  }
}
