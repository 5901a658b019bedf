package kv4j.apps.chat;

import java.io.IOException;
import java.util.Optional;
import java.util.function.BooleanSupplier;
import java.util.function.Function;

/** Where the messages of a chat come from. */
public interface ChatInput extends AutoCloseable {
  /** The next message or command, of one line or several; empty at the end. */
  Optional<String> next() throws IOException;

  /**
   * Does something long, which the user may ask to stop.
   *
   * @param work is given what says whether it should stop
   */
  <T> T interruptibly(Function<BooleanSupplier, T> work);

  @Override
  void close() throws IOException;
}
