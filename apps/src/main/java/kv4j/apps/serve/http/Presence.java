package kv4j.apps.serve.http;

import io.javalin.http.Context;
import java.io.IOException;
import java.nio.ByteBuffer;
import org.eclipse.jetty.ee10.servlet.ServletContextRequest;
import org.eclipse.jetty.io.Connection;
import org.eclipse.jetty.io.EndPoint;
import org.eclipse.jetty.util.BufferUtil;

/**
 * Whether a client is still there that has sent its request and waits for its answer. Nothing is
 * read from its connection meanwhile, so that its end would go unnoticed up to the answer.
 */
public final class Presence {
  private final Connection connection;
  private boolean sendsMore;

  /** Of the client of a request whose body has been read. */
  public Presence(Context ctx) {
    connection =
        ServletContextRequest.getServletContextRequest(ctx.req())
            .getConnectionMetaData()
            .getConnection();
  }

  /**
   * Whether the client has closed the connection, or its side of it, which looks the same. Does not
   * wait. If it sends its next request instead, the byte that was read goes back to where requests
   * are read from, and from then on it counts as present.
   *
   * @throws IOException if the connection is broken
   */
  public boolean hasLeft() throws IOException {
    EndPoint endPoint = connection.getEndPoint();
    if (sendsMore) {
      return !endPoint.isOpen();
    }
    ByteBuffer next = BufferUtil.allocate(1);
    int read = endPoint.fill(next);
    if (read > 0) {
      sendsMore = true;
      ((Connection.UpgradeTo) connection).onUpgradeTo(next);
    }
    return read < 0;
  }
}
