package kv4j.apps.serve.http;

import io.javalin.http.Context;
import jakarta.servlet.ServletOutputStream;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.nio.charset.StandardCharsets;

/**
 * An answer of server-sent events. Nothing is sent before the first event or sign of life, so that
 * up to then the answer can still be an error.
 */
public final class EventStream {
  private final HttpServletResponse response;
  private ServletOutputStream out;

  /** On a request that nothing has been answered to. */
  public EventStream(Context ctx) {
    response = ctx.res();
  }

  /** Whether the client has been sent something. */
  public boolean hasBegun() {
    return out != null;
  }

  /**
   * Sends an event of one line.
   *
   * @throws IOException if the client is gone
   */
  public void data(String line) throws IOException {
    write("data: " + line + "\n\n");
  }

  /**
   * Sends an event with a name and an id by which a client can ask for what comes after it.
   *
   * @throws IOException if the client is gone
   */
  public void event(String name, String id, String line) throws IOException {
    write("id: " + id + "\nevent: " + name + "\ndata: " + line + "\n\n");
  }

  /**
   * Sends nothing that counts, which only works while there is somebody to send it to.
   *
   * @throws IOException if the client is gone
   */
  public void signOfLife() throws IOException {
    write(": waiting\n\n");
  }

  private void write(String text) throws IOException {
    if (out == null) {
      response.setStatus(HttpServletResponse.SC_OK);
      response.setContentType("text/event-stream;charset=utf-8");
      response.setHeader("Cache-Control", "no-cache");
      response.setHeader("X-Accel-Buffering", "no"); // nginx
      out = response.getOutputStream();
    }
    out.write(text.getBytes(StandardCharsets.UTF_8));
    out.flush();
  }
}
