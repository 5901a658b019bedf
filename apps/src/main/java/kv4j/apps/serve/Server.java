package kv4j.apps.serve;

import io.javalin.Javalin;
import io.javalin.compression.CompressionStrategy;
import io.javalin.config.JavalinConfig;
import io.javalin.config.RoutesConfig;
import io.javalin.http.Context;
import io.javalin.http.staticfiles.Location;
import io.javalin.http.staticfiles.StaticFileConfig;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import kv4j.apps.lesson.Lessons;
import kv4j.apps.serve.admin.CacheRoutes;
import kv4j.apps.serve.admin.EventRoutes;
import kv4j.apps.serve.admin.FileRoutes;
import kv4j.apps.serve.admin.LessonRoutes;
import kv4j.apps.serve.admin.Pins;
import kv4j.apps.serve.admin.Recording;
import kv4j.apps.serve.host.ServedModel;
import kv4j.apps.serve.http.ArrivalLimit;
import kv4j.apps.serve.http.Bodies;
import kv4j.apps.serve.http.ErrorPages;
import kv4j.apps.serve.http.Gate;
import kv4j.apps.serve.openai.RequestException;
import kv4j.apps.serve.openai.StrictJson;
import kv4j.inference.schedule.QueueFullException;
import org.eclipse.jetty.server.HttpConfiguration;
import org.eclipse.jetty.server.HttpConnectionFactory;
import org.eclipse.jetty.server.NetworkConnectionLimit;
import org.eclipse.jetty.server.ServerConnector;
import org.eclipse.jetty.util.thread.QueuedThreadPool;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Answers over HTTP with a model at work, which it does not own. */
public final class Server implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(Server.class);
  private static final int HEADER_BYTES = 16 << 10;

  /** How long a connection may be silent, and a client not take what it is sent. */
  private static final Duration IDLE = Duration.ofSeconds(30);

  /** How long a request may take from its first byte to its last, however steadily it drips. */
  private static final Duration ARRIVAL = Duration.ofSeconds(60);

  /** Whatever a connection costs, so many are not too many. */
  private static final int MOST_CONNECTIONS = 4096;

  /** How long clients have to take the ends of their answers when the server is stopped. */
  private static final Duration LAST_WORDS = Duration.ofSeconds(2);

  /** Threads for all but requests that generate: health, metrics and whatever is refused. */
  private static final int SPARE_THREADS = 32;

  /** The page runs and loads what this server has, and nothing that stands in a text. */
  private static final Map<String, String> PAGE_HEADERS =
      Map.of(
          "Content-Security-Policy",
          "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self';"
              + " base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
          "X-Content-Type-Options",
          "nosniff",
          "Referrer-Policy",
          "no-referrer",
          "Cache-Control",
          "no-cache");

  private final ServedModel model;
  private final ServeOptions options;
  private final Duration arrival;
  private final Pins pins;
  private final Gate gate;
  private final Generations generations;
  private final ModelRoutes models;
  private final CacheRoutes cache;
  private final FileRoutes files;
  private final EventRoutes events;
  private final LessonRoutes lessons;
  private final Javalin javalin;
  private Optional<Recording> recording = Optional.empty();

  /**
   * A server that does not listen yet.
   *
   * @param model at work, for as long as the server is
   */
  public Server(ServedModel model, ServeOptions options) {
    this(model, options, ARRIVAL);
  }

  /** The same with other patience for requests to arrive. */
  Server(ServedModel model, ServeOptions options, Duration arrival) {
    this.model = model;
    this.options = options;
    this.arrival = arrival;
    pins = new Pins(model);
    gate = new Gate(options.keys());
    generations = new Generations(model, gate, options.maxRunning() + options.maxWaiting());
    models = new ModelRoutes(model, gate);
    cache = new CacheRoutes(model, gate, pins);
    files =
        new FileRoutes(
            model,
            gate,
            options.cacheFiles(),
            options.cache().store().flatMap(store -> store.spec().cipher()));
    events = new EventRoutes(model, gate);
    lessons = new LessonRoutes(model, gate, Lessons.ALL);
    javalin = Javalin.create(this::configure);
  }

  /** Prefixes that stay. */
  public Pins pins() {
    return pins;
  }

  /**
   * Begins to listen.
   *
   * @throws IllegalArgumentException if the address is taken or is not this machine's
   */
  public void start() {
    recording = options.record().map(file -> new Recording(model, file));
    try {
      javalin.start();
    } catch (RuntimeException e) { // Javalin wraps them all
      throw new IllegalArgumentException(
          "cannot listen on %s:%d: %s".formatted(options.host(), options.port(), reason(e)), e);
    }
  }

  private static String reason(Throwable e) {
    return e.getCause() == null ? e.getMessage() : reason(e.getCause());
  }

  /** Where it listens. */
  public String url() {
    String host = options.host().contains(":") ? "[" + options.host() + "]" : options.host();
    return "http://%s:%d".formatted(host, javalin.port());
  }

  private void configure(JavalinConfig config) {
    config.startup.showJavalinBanner = false;
    config.startup.showOldJavalinVersionWarning = false;
    config.startup.startupWatcherEnabled = false;
    config.http.compressionStrategy = CompressionStrategy.NONE; // pieces go out as they come
    config.http.prefer405over404 = true;
    config.router.javaLangErrorHandler(Server::broke);
    config.jetty.threadPool = threads();
    config.jetty.modifyHttpConfiguration(Server::limit);
    config.jetty.modifyServer(
        server -> {
          server.setErrorHandler(new ErrorPages());
          server.addBean(new NetworkConnectionLimit(MOST_CONNECTIONS, server));
        });
    config.jetty.addConnector(
        (server, http) -> {
          ServerConnector connector = new ServerConnector(server, new HttpConnectionFactory(http));
          connector.setHost(options.host());
          connector.setPort(options.port());
          connector.setIdleTimeout(IDLE.toMillis());
          connector.addBean(new ArrivalLimit(connector, arrival));
          return connector;
        });
    config.staticFiles.add(Server::page);
    routes(config.routes);
  }

  private static void page(StaticFileConfig files) {
    files.location = Location.CLASSPATH;
    files.directory = "/kv4j/apps/serve/page";
    files.headers = PAGE_HEADERS;
  }

  private QueuedThreadPool threads() {
    int most =
        options.maxRunning() + options.maxWaiting() + EventRoutes.MOST_FOLLOWERS + SPARE_THREADS;
    QueuedThreadPool threads = new QueuedThreadPool(most, Math.min(most, 8));
    threads.setName("kv4j-http");
    threads.setDaemon(true);
    return threads;
  }

  private static void limit(HttpConfiguration http) {
    http.setSendServerVersion(false);
    http.setSendXPoweredBy(false);
    http.setRequestHeaderSize(HEADER_BYTES);
  }

  private void routes(RoutesConfig routes) {
    routes.before(gate::checkOrigin);
    routes.post("/v1/chat/completions", generations::chat);
    routes.post("/v1/completions", generations::completion);
    routes.get("/v1/models", models::models);
    routes.get("/v1/models/{id}", models::model);
    routes.get("/health", models::health);
    routes.get("/version", models::version);
    routes.post("/tokenize", models::tokenize);
    routes.post("/detokenize", models::detokenize);
    routes.get("/cache", cache::tree);
    routes.get("/cache/runs/{id}", cache::run);
    routes.get("/cache/stats", cache::stats);
    routes.post("/cache/warm", cache::warm);
    routes.post("/cache/save", files::save);
    routes.post("/cache/load", files::load);
    routes.get("/cache/pins", cache::pins);
    routes.get("/cache/pins/{name}", cache::pin);
    routes.delete("/cache/pins/{name}", cache::unpin);
    routes.post("/reset_prefix_cache", cache::reset);
    routes.get("/events", events::follow);
    routes.get("/lessons", lessons::list);
    routes.post("/lessons/{name}", lessons::give);
    routes.get("/metrics", this::metrics);
    routes.exception(RequestException.class, (e, ctx) -> Bodies.refuse(ctx, e));
    routes.exception(QueueFullException.class, Server::full);
    routes.exception(IOException.class, (e, ctx) -> LOG.info("a client is gone", e));
    routes.exception(Exception.class, Server::failed);
    routes.error(404, "*", Server::notFound);
    routes.error(405, "*", Server::notAllowed);
  }

  private void metrics(Context ctx) {
    gate.requireAny(ctx);
    ctx.contentType("text/plain; version=0.0.4; charset=utf-8").result(model.metrics().scrape());
  }

  private static void full(QueueFullException e, Context ctx) {
    ctx.header("Retry-After", Integer.toString(e.retrySeconds()));
    Bodies.refuse(ctx, RequestException.of(429, "queue_full", e.getMessage()));
  }

  private static void failed(Exception e, Context ctx) {
    LOG.info("a request failed", e);
    Bodies.refuse(
        ctx, RequestException.of(500, "internal_error", "the server failed to answer this"));
  }

  /** Of memory, mostly: the request is refused, and the server goes on. */
  private static void broke(HttpServletResponse response, Error error) {
    LOG.info("a request broke", error);
    try {
      if (!response.isCommitted()) {
        RequestException refusal =
            error instanceof OutOfMemoryError
                ? RequestException.of(503, "out_of_memory", "there is not enough memory right now")
                : RequestException.of(500, "internal_error", "the server failed to answer this");
        response.setStatus(refusal.status());
        response.setContentType("application/json");
        response.getOutputStream().print(StrictJson.write(refusal.json()));
      }
    } catch (IOException e) {
      LOG.info("a client is gone", e);
    }
  }

  private static void notFound(Context ctx) {
    if (!isOurs(ctx)) {
      Bodies.refuse(ctx, RequestException.of(404, "not_found", "there is nothing at this path"));
    }
  }

  private static void notAllowed(Context ctx) {
    if (!isOurs(ctx)) {
      Bodies.refuse(
          ctx, RequestException.of(405, "method_not_allowed", "this path has no such method"));
    }
  }

  /** Whether the answer is an error of ours already. */
  private static boolean isOurs(Context ctx) {
    String result = ctx.result();
    return result != null && result.startsWith("{\"error\"");
  }

  /**
   * Takes no more requests, waits for those that run, cancels what has not ended by the deadline,
   * and stops listening.
   */
  @Override
  public void close() {
    models.stopping();
    events.close();
    lessons.close();
    model.scheduler().drain(options.deadline());
    generations.awaitWritten(LAST_WORDS);
    javalin.stop();
    recording.ifPresent(Recording::close);
    pins.close();
  }
}
