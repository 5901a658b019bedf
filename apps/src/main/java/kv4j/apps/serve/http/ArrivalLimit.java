package kv4j.apps.serve.http;

import java.time.Duration;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.eclipse.jetty.http.HttpParser;
import org.eclipse.jetty.io.EndPoint;
import org.eclipse.jetty.server.ServerConnector;
import org.eclipse.jetty.server.internal.HttpConnection;
import org.eclipse.jetty.util.NanoTime;
import org.eclipse.jetty.util.component.AbstractLifeCycle;
import org.eclipse.jetty.util.thread.Scheduler;

/**
 * Closes connections whose requests take too long to arrive, headers and body together. Jetty only
 * sees whether a connection is silent, which one that drips never is.
 */
public final class ArrivalLimit extends AbstractLifeCycle {
  /** How often it looks during the time that a request may take. */
  private static final int LOOKS = 10;

  private final ServerConnector connector;
  private final Duration most;
  private volatile Scheduler.Task next;

  /**
   * @param connector whose connections it watches, with itself as a bean of it
   * @param most that a request may take from its first byte to its last
   */
  public ArrivalLimit(ServerConnector connector, Duration most) {
    this.connector = connector;
    this.most = most;
  }

  @Override
  protected void doStart() {
    schedule();
  }

  private void schedule() {
    next =
        connector.getScheduler().schedule(this::look, most.toNanos() / LOOKS, TimeUnit.NANOSECONDS);
  }

  private void look() {
    for (EndPoint client : connector.getConnectedEndPoints()) {
      if (client.getConnection() instanceof HttpConnection http && isOverdue(http.getParser())) {
        client.close(new TimeoutException("the request took more than " + most));
      }
    }
    if (isRunning()) {
      schedule();
    }
  }

  private boolean isOverdue(HttpParser request) {
    long begin = request.getBeginNanoTime(); // 0 between requests
    return begin != 0
        && request.getState().ordinal() < HttpParser.State.END.ordinal()
        && NanoTime.since(begin) > most.toNanos();
  }

  @Override
  protected void doStop() {
    next.cancel();
  }
}
