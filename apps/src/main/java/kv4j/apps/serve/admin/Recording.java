package kv4j.apps.serve.admin;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.io.Writer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.OptionalLong;
import java.util.concurrent.CountDownLatch;
import kv4j.apps.serve.host.ServedModel;
import kv4j.apps.serve.http.View;
import kv4j.apps.serve.openai.StrictJson;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Writes everything that happens to a file, for the page to play again: a snapshot and the events
 * after it, each a line of JSON with the event's name and what it says. It has a thread of its own.
 */
public final class Recording implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(Recording.class);

  private final Thread thread;
  private final CountDownLatch begun = new CountDownLatch(1);
  private volatile boolean closed;

  /**
   * Begins to write; nothing that happens after this returns is missed.
   *
   * @throws IllegalArgumentException with one sentence if the file cannot be written
   */
  public Recording(ServedModel model, Path file) {
    Writer out;
    try {
      out = Files.newBufferedWriter(file, StandardCharsets.UTF_8);
    } catch (IOException e) {
      throw new IllegalArgumentException("--record cannot write " + file, e);
    }
    thread = new Thread(() -> write(model, out), "kv4j-recording");
    thread.setDaemon(true);
    thread.start();
    try {
      begun.await();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private void write(ServedModel model, Writer out) {
    try (out) {
      new Follower(model, View.ALL, new Lines(out, begun))
          .follow(OptionalLong.empty(), () -> closed);
    } catch (IOException e) {
      LOG.warn("the recording ends here: {}", e.toString());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } finally {
      begun.countDown();
    }
  }

  /** Ends the file with what has happened up to now. */
  @Override
  public void close() {
    closed = true;
    try {
      thread.join();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private record Lines(Writer out, CountDownLatch begun) implements Follower.Sink {
    @Override
    public void event(String name, long number, ObjectNode json) throws IOException {
      ObjectNode line = JsonNodeFactory.instance.objectNode().put("event", name);
      line.set("data", json);
      out.write(StrictJson.write(line) + "\n");
      begun.countDown(); // with the snapshot, which comes first
    }

    @Override
    public void signOfLife() throws IOException {
      out.flush();
    }
  }
}
