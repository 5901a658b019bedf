package kv4j.apps.chat;

import java.io.IOException;
import java.util.Optional;

/** Where the messages of a chat come from. */
public interface ChatInput extends AutoCloseable {
  /** The next message or command, of one line or several; empty at the end. */
  Optional<String> next() throws IOException;

  /** Whether the user wants no more of the answer to the last message. */
  boolean asksToStop();

  @Override
  void close() throws IOException;
}
